#!/usr/bin/env bash
# MPI_Pack_external of an MPI_LONG keeps 32 of its 64 bits and reports success.
#
# With:     Debian 12, libmpich12 and libmpich-dev 4.0.2-3+b1, libucx0 1.13.1-1, libhwloc15 2.9.0-1.
# Needs:    apt, gcc; no root, no mpiexec (one rank).
# Asked:    one long of 2^40 + 1 packed in the format external32 and unpacked on the same machine; the same
#           as MPI_LONG_LONG and as MPI_INT64_T.
# Seen:     as MPI_LONG four bytes are packed and 1 comes back; both calls return MPI_SUCCESS. The other
#           two come back whole in eight bytes. The table of external32 gives MPI_LONG four bytes; so a file
#           view or a checkpoint in that format loses what a long of this machine holds.
# Expected: an error for a value that does not fit, as other conversions of MPI raise.
# For us:   nothing of ours is written as external32; a facade over MPI must give the same bytes.
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

cat >packed.c <<'C'
#include <mpi.h>
#include <stdio.h>

static void through(const char* name, MPI_Datatype type) {
  const long long value = (1LL << 40) + 1;
  long long back = 0;
  char bytes[16];
  MPI_Aint packed = 0, unpacked = 0;
  const int in = MPI_Pack_external("external32", &value, 1, type, bytes, sizeof bytes, &packed);
  const int out = MPI_Unpack_external("external32", bytes, packed, &unpacked, &back, 1, type);
  printf("%s: %s, %d bytes, 2^40 + 1 is now %lld\n", name,
         in == MPI_SUCCESS && out == MPI_SUCCESS ? "success" : "an error", (int)packed, back);
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  through("MPI_LONG", MPI_LONG);
  through("MPI_LONG_LONG", MPI_LONG_LONG);
  through("MPI_INT64_T", MPI_INT64_T);
  MPI_Finalize();
  return 0;
}
C
gcc -O1 -I root/usr/include/x86_64-linux-gnu/mpich packed.c \
  "$libraries"/libmpich.so.12 -Wl,--allow-shlib-undefined -o packed || cannot "no compiler"
LD_LIBRARY_PATH=$libraries timeout 60 ./packed >seen 2>/dev/null || cannot "the program did not end well"
cat seen
cat >expected <<'TEXT'
MPI_LONG: success, 4 bytes, 2^40 + 1 is now 1
MPI_LONG_LONG: success, 8 bytes, 2^40 + 1 is now 1099511627777
MPI_INT64_T: success, 8 bytes, 2^40 + 1 is now 1099511627777
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
