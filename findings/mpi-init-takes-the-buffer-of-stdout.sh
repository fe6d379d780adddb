#!/usr/bin/env bash
# MPI_Init leaves the program's stdout without a buffer: each part of a line is a system call, and lines
# of ranks come out mixed.
#
# With:     Debian 12, libmpich12 and libmpich-dev 4.0.2-3+b1, libucx0 1.13.1-1, libhwloc15 2.9.0-1.
# Needs:    apt, gcc; no root, no mpiexec (one rank).
# Asked:    a line that is printed in three parts, to a file, before MPI_Init, after it, and after
#           setvbuf has asked for lines again: without an array, and with one.
# Seen:     before, the parts wait in a buffer of 4,096 bytes. After it none waits: the buffer has one
#           byte. setvbuf(stdout, NULL, _IOLBF, BUFSIZ) says 0 and changes nothing, since libc then keeps
#           the buffer that is there; with an array of one's own parts wait again. Under mpiexec the parts
#           of one rank's line stand between those of another's.
# Expected: a library leaves the streams of the program as they are, and a line stays whole.
# For us:   run_images gives stdout an array after MPI_Init, so that lines of virtual ranks are whole;
#           docs/manual.md says how a program does it.
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

cat >parts.c <<'C'
#include <mpi.h>
#include <stdio.h>
#include <stdio_ext.h>

static char own[BUFSIZ];

static void look(FILE* to, const char* when) {
  fflush(stdout);
  printf("part ");
  printf("of a line ");
  fprintf(to, "%s: %zu bytes wait, a buffer of %zu\n", when, __fpending(stdout),
          __fbufsize(stdout));
  printf("and its end\n");
}

int main(int argc, char** argv) {
  FILE* seen = fopen("seen", "w");
  look(seen, "before MPI_Init");
  MPI_Init(&argc, &argv);
  look(seen, "after it");
  if (setvbuf(stdout, NULL, _IOLBF, BUFSIZ) == 0) look(seen, "lines asked for");
  if (setvbuf(stdout, own, _IOLBF, sizeof own) == 0) look(seen, "lines asked for in an array");
  MPI_Finalize();
  return fclose(seen);
}
C
gcc -O1 -I root/usr/include/x86_64-linux-gnu/mpich parts.c \
  "$libraries"/libmpich.so.12 -Wl,--allow-shlib-undefined -o parts || cannot "no compiler"
LD_LIBRARY_PATH=$libraries timeout 60 ./parts >printed 2>/dev/null || cannot "the program did not end well"
cat seen
cat >expected <<'TEXT'
before MPI_Init: 15 bytes wait, a buffer of 4096
after it: 0 bytes wait, a buffer of 1
lines asked for: 0 bytes wait, a buffer of 1
lines asked for in an array: 15 bytes wait, a buffer of 8192
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
