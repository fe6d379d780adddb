#!/usr/bin/env bash
# pthread_mutex_trylock says once that a robust mutex cannot be recovered; from then on it says that somebody
# holds it.
#
# With:     Debian 12, glibc 2.36 of the release (no package is fetched: libc is the machine's).
# Needs:    gcc; no root.
# Asked:    a kernel thread ends while it holds a robust mutex. Another locks it (EOWNERDEAD) and unlocks it
#           without pthread_mutex_consistent, which loses it for good. Then four times trylock, by one more
#           kernel thread each.
# Seen:     ENOTRECOVERABLE the first time, EBUSY ever after. A program that tries again while a mutex is busy
#           tries for ever.
# Expected: a mutex that is lost stays lost, for each that asks.
# For us:   trylock in a thread asks who the owner is before it tries, so the answer is ENOTRECOVERABLE each
#           time (threads/lock_calls.cc).
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >lost.c <<'C'
#define _GNU_SOURCE
#include <errno.h>
#include <gnu/libc-version.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t mutex;

static void* hold(void* unused) {
  pthread_mutex_lock(&mutex);
  return unused;
}

static void* lose(void* unused) {
  printf("lock: %s\n", strerrorname_np(pthread_mutex_lock(&mutex)));
  pthread_mutex_unlock(&mutex);
  return unused;
}

static void* try(void* unused) {
  printf("trylock: %s\n", strerrorname_np(pthread_mutex_trylock(&mutex)));
  return unused;
}

static void run(void* (*body)(void*)) {
  pthread_t thread;
  pthread_create(&thread, 0, body, 0);
  pthread_join(thread, 0);
}

int main(void) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&mutex, &attributes);
  run(hold);
  run(lose);
  for (int i = 0; i < 4; ++i) run(try);
  fprintf(stderr, "glibc %s\n", gnu_get_libc_version());
  return 0;
}
C
gcc -O1 -pthread lost.c -o lost || cannot "no compiler"
timeout 60 ./lost >seen || cannot "the program did not end well"
cat seen
cat >expected <<'TEXT'
lock: EOWNERDEAD
trylock: ENOTRECOVERABLE
trylock: EBUSY
trylock: EBUSY
trylock: EBUSY
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
