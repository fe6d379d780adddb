#!/usr/bin/env bash
# A zero that is written as the last argument of libc's syscall() is not zero for the kernel, if Clang
# compiled the call and the system call takes six arguments.
#
# With:     Debian 12, clang-14 1:14.0.6-12, glibc 2.36 of the release.
# Needs:    apt, headers and a linker (gcc installed); no root.
# Asked:    C: a process copies 8 bytes of its own memory by syscall(SYS_process_vm_readv, ...), whose
#           last argument, the flags, must be 0; written as `0`, and as `0L`. The stack had other
#           contents before.
# Seen:     with `0L` the bytes are copied. With `0`, compiled by Clang, the kernel says "Invalid
#           argument"; with other contents of the stack it is right. GCC is right with both. The
#           argument is the only one that is passed on the stack, as eight bytes: syscall() takes longs,
#           a 0 is an int, and Clang writes four of the eight.
# Expected: that small numbers may be written as such, as the other arguments may, which registers take.
# For us:   in a build by Clang 19 a job's record did not name who called abort(): sixth arguments are
#           longs (base/job_record.cc, and job_record_test with Clang).
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir packages root
(cd packages && apt-get download clang-14=1:14.0.6-12 libclang-cpp14=1:14.0.6-12 \
  libllvm14=1:14.0.6-12 libclang-common-14-dev=1:14.0.6-12 libz3-4 libedit2 libbsd0 libxml2 \
  libtinfo6 libicu72 liblzma5 libmd0) >/dev/null 2>&1 ||
  cannot "apt has not the packages (run apt-get update; Debian 12 is needed)"
for package in packages/*.deb; do dpkg-deb -x "$package" root; done
command -v gcc >/dev/null || cannot "no gcc, whose headers and libraries are used"
libraries=$PWD/root/usr/lib/x86_64-linux-gnu:$PWD/root/lib/x86_64-linux-gnu
clang() { LD_LIBRARY_PATH=$libraries root/usr/lib/llvm-14/bin/clang "$@"; }

cat >copies.c <<'C'
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static char source[8] = "eight";
static char target[8];
static struct iovec from = {source, 8}, to = {target, 8};

__attribute__((noinline)) static void use_the_stack(void) {
  volatile char room[4096];
  memset((char*)room, 0xff, sizeof room);
}
__attribute__((noinline)) static long flags_int(void) {
  return syscall(SYS_process_vm_readv, getpid(), &to, 1, &from, 1, 0);
}
__attribute__((noinline)) static long flags_long(void) {
  return syscall(SYS_process_vm_readv, getpid(), &to, 1, &from, 1, 0L);
}

static void say(const char* how, long copied) {
  printf("%s: %s\n", how, copied == 8 ? target : strerror(errno));
}

int main(void) {
  use_the_stack();
  say("0", flags_int());
  use_the_stack();
  say("0L", flags_long());
  return 0;
}
C
for compiler in "gcc -O0" "gcc -O2" "clang -O0" "clang -O2"; do
  $compiler -c copies.c -o copies.o || cannot "the compiler does not run here"
  gcc copies.o -o copies
  ./copies | sed "s/^/$compiler, /"
done >seen
cat seen
cat >expected <<'TEXT'
gcc -O0, 0: eight
gcc -O0, 0L: eight
gcc -O2, 0: eight
gcc -O2, 0L: eight
clang -O0, 0: Invalid argument
clang -O0, 0L: eight
clang -O2, 0: Invalid argument
clang -O2, 0L: eight
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
