#!/usr/bin/env bash
# gcc keeps the address of errno over a call: a coroutine that another kernel thread resumes reads and
# writes the errno of the first.
#
# With:     Debian 12, gcc-12 12.2.0-14+deb12u1 (cpp-12 and cc1 of it), libc6-dev of the release.
# Needs:    apt, a linker and headers (gcc installed); no root.
# Asked:    plain C with swapcontext: a coroutine sets errno, is suspended by one kernel thread, resumed
#           by another, and sets errno again.
# Seen:     at -O0 the second kernel thread has the errno that was set while it ran. At -O1 and -O2 it
#           has not: the store went to the first one's. __errno_location is declared const, so its result
#           is taken for the same through the whole function. The same holds for a thread_local in code
#           that is compiled for shared libraries.
# Expected: a call that cannot be seen into may change the kernel thread; errno is looked up after it.
# For us:   threads stay on one kernel thread of a rank, and thread-local storage lies at one address in
#           all ranks of a job, which the start checks: an address that was kept stays right.
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir packages root
(cd packages && apt-get download gcc-12=12.2.0-14+deb12u1 cpp-12=12.2.0-14+deb12u1 \
  libgcc-12-dev=12.2.0-14+deb12u1 libisl23 libmpc3 libmpfr6 libgmp10) >/dev/null 2>&1 ||
  cannot "apt has not the packages (run apt-get update; Debian 12 is needed)"
for package in packages/*.deb; do dpkg-deb -x "$package" root; done
export LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu
compiler=root/usr/bin/x86_64-linux-gnu-gcc-12
command -v as ld >/dev/null || cannot "no assembler and linker"

cat >resumed.c <<'C'
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <ucontext.h>

static ucontext_t coroutine, resumer;
static char stack[1 << 16];

__attribute__((noinline)) static void suspend(void) { swapcontext(&coroutine, &resumer); }

static void body(void) {
  errno = EPERM;
  suspend();
  errno = ENOENT;
  suspend();
}

static void* resume(void* which) {
  errno = 0;
  swapcontext(&resumer, &coroutine);
  if (which != 0) printf("the second kernel thread has errno %d\n", errno);
  return 0;
}

int main(void) {
  getcontext(&coroutine);
  coroutine.uc_stack.ss_sp = stack;
  coroutine.uc_stack.ss_size = sizeof stack;
  makecontext(&coroutine, body, 0);
  resume(0);
  pthread_t second;
  pthread_create(&second, 0, resume, "second");
  pthread_join(second, 0);
  return 0;
}
C
for level in 0 1 2; do
  "$compiler" -O$level resumed.c -pthread -o resumed || cannot "the compiler does not run here"
  echo "-O$level: $(./resumed)"
done >seen
cat seen
cat >expected <<'TEXT'
-O0: the second kernel thread has errno 2
-O1: the second kernel thread has errno 0
-O2: the second kernel thread has errno 0
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
