#!/usr/bin/env bash
# MPI_MAX and MPI_MIN of unsigned integers compare them as signed ones: the maximum of 4000000000 and
# 1 is 1.
#
# With:     Debian 12, libmpich12 and libmpich-dev 4.0.2-3+b1, libucx0 1.13.1-1, libhwloc15 2.9.0-1.
# Needs:    apt, gcc; no root, no mpiexec (one rank).
# Asked:    MPI_Reduce_local with MPI_MAX, MPI_MIN and MPI_SUM, of a number with the highest bit set
#           and 1, for each unsigned type of C.
# Seen:     MPI_Reduce_local calls 1 the larger one, and the other one the smaller, for all of them:
#           MPI_UNSIGNED_CHAR, _SHORT, MPI_UNSIGNED, _LONG, _LONG_LONG, MPI_UINT8_T to MPI_UINT64_T.
#           MPI_SUM of the same is right, and no call returns an error.
# Expected: the order of unsigned numbers, as C and the standard have it (MPI 3.1, 5.9.2).
# For us:   reductions of virtual ranks are right there, so a program that reduces hashes, ids or
#           bit masks with MPI_MAX prints something else than under mpiexec with this MPICH.
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

cat >order.c <<'C'
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>

static int wrong, right_sums;

#define TRY(kType, kDatatype)                                          \
  do {                                                                 \
    const kType large = (kType)((kType)1 << (8 * sizeof(kType) - 1));  \
    kType most = 1, least = 1, sum = 1;                                \
    MPI_Reduce_local(&large, &most, 1, kDatatype, MPI_MAX);            \
    MPI_Reduce_local(&large, &least, 1, kDatatype, MPI_MIN);           \
    MPI_Reduce_local(&large, &sum, 1, kDatatype, MPI_SUM);             \
    wrong += most == 1 && least == large;                              \
    right_sums += sum == (kType)(large + 1);                           \
  } while (0)

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  TRY(unsigned char, MPI_UNSIGNED_CHAR);
  TRY(unsigned short, MPI_UNSIGNED_SHORT);
  TRY(unsigned, MPI_UNSIGNED);
  TRY(unsigned long, MPI_UNSIGNED_LONG);
  TRY(unsigned long long, MPI_UNSIGNED_LONG_LONG);
  TRY(uint8_t, MPI_UINT8_T);
  TRY(uint16_t, MPI_UINT16_T);
  TRY(uint32_t, MPI_UINT32_T);
  TRY(uint64_t, MPI_UINT64_T);
  unsigned a = 4000000000u, most = 1;
  MPI_Reduce_local(&a, &most, 1, MPI_UNSIGNED, MPI_MAX);
  printf("the maximum of 4000000000 and 1: %u\n", most);
  printf("types ordered as signed: %d of 9, right sums: %d of 9\n", wrong, right_sums);
  MPI_Finalize();
  return 0;
}
C
gcc -O1 -I root/usr/include/x86_64-linux-gnu/mpich order.c \
  "$libraries"/libmpich.so.12 -Wl,--allow-shlib-undefined -o order || cannot "no compiler"
LD_LIBRARY_PATH=$libraries timeout 100 ./order >seen 2>/dev/null ||
  cannot "the program did not end well"
cat seen
cat >expected <<'TEXT'
the maximum of 4000000000 and 1: 1
types ordered as signed: 9 of 9, right sums: 9 of 9
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
