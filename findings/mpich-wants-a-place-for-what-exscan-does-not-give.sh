#!/usr/bin/env bash
# MPI_Exscan wants a receive buffer of rank 0, which it never writes.
#
# With:     Debian 12, mpich and libmpich12 4.0.2-3+b1, libucx0 1.13.1-1, libhwloc15 2.9.0-1.
# Needs:    apt, gcc; no root.
# Asked:    an exclusive scan of three ranks, of which rank 0 gives NULL for its receive buffer, blocking
#           and not; MPI_ERRORS_RETURN. Then MPI_Reduce with NULL for the receive buffer of ranks 1, 2.
# Seen:     rank 0 is refused with MPI_ERR_BUFFER by both, before it has sent anything.
#           MPI_Reduce takes the same NULL where the buffer does not count.
# Expected: success: the receive buffer of rank 0 is not significant (MPI 3.1, 5.11.2), as that of
#           MPI_Reduce is not on ranks other than the root.
# For us:   virtual ranks may give NULL there, so a program may run under roam-mpi that mpiexec with
#           this MPICH refuses.
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir packages root
(cd packages && apt-get download mpich=4.0.2-3+b1 libmpich12=4.0.2-3+b1 \
  libmpich-dev=4.0.2-3+b1 libucx0=1.13.1-1 libhwloc15=2.9.0-1 libnuma1 libudev1 libcap2 \
  libslurm38) >/dev/null 2>&1 ||
  cannot "apt has not the packages (run apt-get update; Debian 12 is needed)"
for package in packages/*.deb; do dpkg-deb -x "$package" root; done
libraries=$PWD/root/usr/lib/x86_64-linux-gnu:$PWD/root/lib/x86_64-linux-gnu

# Only rank 0 makes the refused calls, which send nothing; a scan of all ranks follows.
cat >exscan.c <<'C'
#include <mpi.h>
#include <stdio.h>

static const char* name_of(int error) {
  int of = MPI_SUCCESS;
  if (error == MPI_SUCCESS) return "success";
  MPI_Error_class(error, &of);
  return of == MPI_ERR_BUFFER ? "MPI_ERR_BUFFER" : "another error";
}

int main(int argc, char** argv) {
  int rank, own, sum = -1;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  own = rank + 1;
  if (rank == 0) {
    MPI_Request request;
    printf("MPI_Exscan, rank 0, NULL: %s\n",
           name_of(MPI_Exscan(&own, NULL, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD)));
    printf("MPI_Iexscan, rank 0, NULL: %s\n",
           name_of(MPI_Iexscan(&own, NULL, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &request)));
    fflush(stdout);
  }
  const int error = MPI_Exscan(&own, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 2) printf("MPI_Exscan, a buffer everywhere: %s, rank 2 has %d\n", name_of(error), sum);
  const int reduced =
      MPI_Reduce(&own, rank == 0 ? &sum : NULL, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
  if (rank == 2) printf("MPI_Reduce, rank 2, NULL: %s\n", name_of(reduced));
  MPI_Finalize();
  return 0;
}
C
gcc -O1 -I root/usr/include/x86_64-linux-gnu/mpich exscan.c \
  root/usr/lib/x86_64-linux-gnu/libmpich.so.12 -Wl,--allow-shlib-undefined -o exscan ||
  cannot "no compiler"
LD_LIBRARY_PATH=$libraries timeout 60 root/usr/bin/mpiexec.hydra -launcher fork -n 3 ./exscan \
  2>/dev/null | sort >seen || cannot "the program did not end well"
cat seen
cat >expected <<'TEXT'
MPI_Exscan, a buffer everywhere: success, rank 2 has 3
MPI_Exscan, rank 0, NULL: MPI_ERR_BUFFER
MPI_Iexscan, rank 0, NULL: MPI_ERR_BUFFER
MPI_Reduce, rank 2, NULL: success
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
