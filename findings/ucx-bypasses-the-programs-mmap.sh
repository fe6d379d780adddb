#!/usr/bin/env bash
# A program that is linked with MPICH and defines mmap itself never sees a call of it: UCX has rewritten
# the function before main.
#
# With:     Debian 12, libmpich12 and libmpich-dev 4.0.2-3+b1, libucx0 1.13.1-1, libhwloc15 2.9.0-1.
# Needs:    apt, gcc; no root, no mpiexec (one rank).
# Asked:    a program with an mmap and a munmap of its own, which count and pass on to the kernel, as
#           allocators, tracers and checkers have them; one mmap and one munmap before MPI_Init and after.
# Seen:     no call is counted, not even from the file that defines them and not even before MPI_Init.
#           UCX's hooks patch the code of whatever mmap the dynamic linker finds, when its library is
#           loaded. With UCX_MEM_EVENTS=no in the environment all are counted.
# Expected: a hook that calls what it replaces.
# For us:   what the start checks of mmap, and how mappings of the program are noticed (docs/manual.md).
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir packages root
(cd packages && apt-get download libmpich12=4.0.2-3+b1 libmpich-dev=4.0.2-3+b1 \
  libucx0=1.13.1-1 libhwloc15=2.9.0-1 libnuma1 libudev1) >/dev/null 2>&1 ||
  cannot "apt has not the packages (run apt-get update; Debian 12 is needed)"
for package in packages/*.deb; do dpkg-deb -x "$package" root; done
libraries=root/usr/lib/x86_64-linux-gnu

cat >counting.c <<'C'
#define _GNU_SOURCE
#include <mpi.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int counted;

void* mmap(void* at, size_t bytes, int access, int flags, int file, off_t offset) {
  ++counted;
  return (void*)syscall(SYS_mmap, at, bytes, access, flags, file, offset);
}

int munmap(void* at, size_t bytes) {
  ++counted;
  return (int)syscall(SYS_munmap, at, bytes);
}

static void map(const char* when) {
  counted = 0;
  void* page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(page, 4096);
  printf("%s: %d of 2 calls\n", when, counted);
}

int main(int argc, char** argv) {
  map("before MPI_Init");
  MPI_Init(&argc, &argv);
  map("after MPI_Init");
  MPI_Finalize();
  return 0;
}
C
gcc -O1 -I root/usr/include/x86_64-linux-gnu/mpich counting.c \
  "$libraries"/libmpich.so.12 -Wl,--allow-shlib-undefined -o counting || cannot "no compiler"
export LD_LIBRARY_PATH=$libraries
{
  echo "as it comes"
  timeout 60 ./counting 2>/dev/null || cannot "the program did not end well"
  echo "UCX_MEM_EVENTS=no"
  UCX_MEM_EVENTS=no timeout 60 ./counting 2>/dev/null || cannot "the program did not end well"
} >seen
cat seen
cat >expected <<'TEXT'
as it comes
before MPI_Init: 0 of 2 calls
after MPI_Init: 0 of 2 calls
UCX_MEM_EVENTS=no
before MPI_Init: 2 of 2 calls
after MPI_Init: 2 of 2 calls
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
