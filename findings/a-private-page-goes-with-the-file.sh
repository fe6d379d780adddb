#!/usr/bin/env bash
# What a process wrote into a private mapping of a file is gone when anybody shortens the file, and the
# mapping reads as zeros when it is made longer again; a hole punched in the file leaves it alone.
#
# With:     Linux 6.18, a memfd (tmpfs) and a file of the temporary folder; no package is needed.
# Needs:    gcc.
# Asked:    two pages MAP_PRIVATE of a file, both written, so that both are copies of the process alone.
#           Then ftruncate to one page and back to two; or fallocate(FALLOC_FL_PUNCH_HOLE) over both.
# Seen:     ftruncate: the second page's private bytes are lost, without an error or a signal, though the
#           file has its old size again. Punching a hole: both private pages stay.
# Expected: copy on write makes a copy that belongs to the process, whatever becomes of the file.
# For us:   the file of the arena never shrinks while a job runs; memory is given back by punching holes,
#           so that a forked child that holds the arena privately keeps what it wrote.
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >private.c <<'C'
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static int try(const char* kind, int file) {
  if (file < 0 || ftruncate(file, 8192) != 0) return 1;
  char* pages = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
  if (pages == MAP_FAILED) return 1;
  pages[0] = 'a';
  pages[4096] = 'b';
  if (fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 8192) != 0) return 1;
  printf("%s, a hole: %d %d\n", kind, pages[0], pages[4096]);
  if (ftruncate(file, 4096) != 0 || ftruncate(file, 8192) != 0) return 1;
  printf("%s, shorter and longer: %d %d\n", kind, pages[0], pages[4096]);
  return 0;
}

int main(void) {
  return try("memfd", memfd_create("pages", 0)) ||
         try("file", open("pages", O_RDWR | O_CREAT | O_EXCL, 0600));
}
C
gcc -O1 private.c -o private || cannot "no compiler"
./private >seen || cannot "the temporary folder's file system has no holes"
cat seen
cat >expected <<'TEXT'
memfd, a hole: 97 98
memfd, shorter and longer: 97 0
file, a hole: 97 98
file, shorter and longer: 97 0
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
