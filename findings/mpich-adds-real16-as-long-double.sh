#!/usr/bin/env bash
# MPI_SUM of two numbers of MPI_REAL16 is another number or none, and reports success.
#
# With:     Debian 12, libmpich12 and libmpich-dev 4.0.2-3+b1, libucx0 1.13.1-1, libhwloc15 2.9.0-1.
# Needs:    apt, gcc; no root, no mpiexec (one rank).
# Asked:    MPI_Type_size of MPI_REAL16, and MPI_Reduce_local of 1.5 and 2.25 with MPI_SUM and
#           MPI_PROD. gcc's __float128 is what REAL(16) is to gfortran: IEEE quadruple precision.
# Seen:     the size is 16, as it should be. The bytes are added as `long double`, which has 80 bits on
#           x86-64, laid out otherwise: the sum is NaN, the product wrong. Both return MPI_SUCCESS.
# Expected: 3.75 and 3.375; or an error, which the standard allows for optional datatypes.
# For us:   virtual ranks reduce REAL(16) rightly; the result differs from that under mpiexec.
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

cat >quadruple.c <<'C'
#include <mpi.h>
#include <stdio.h>

static void try_it(const char* name, MPI_Op op, double expected) {
  const __float128 a = 1.5;
  __float128 b = 2.25;
  const int error = MPI_Reduce_local(&a, &b, 1, MPI_REAL16, op);
  printf("%s: error %d, %s\n", name, error,
         b != b ? "no number" : b == expected ? "right" : "another number");
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int bytes;
  MPI_Type_size(MPI_REAL16, &bytes);
  printf("MPI_REAL16: %d bytes\n", bytes);
  try_it("sum", MPI_SUM, 3.75);
  try_it("product", MPI_PROD, 3.375);
  MPI_Finalize();
  return 0;
}
C
gcc -O1 -I root/usr/include/x86_64-linux-gnu/mpich quadruple.c \
  "$libraries"/libmpich.so.12 -Wl,--allow-shlib-undefined -o quadruple || cannot "no compiler"
LD_LIBRARY_PATH=$libraries timeout 100 ./quadruple >seen 2>/dev/null ||
  cannot "the program did not end well"
cat seen
cat >expected <<'TEXT'
MPI_REAL16: 16 bytes
sum: error 0, no number
product: error 0, another number
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
