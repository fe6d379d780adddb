#!/usr/bin/env bash
# A persistent gather gives its root's own part as it was when MPI_Gather_init was called, not as it
# is when the gather is started.
#
# With:     Debian 12, libmpich12 and libmpich-dev 4.0.2-3+b1, libucx0 1.13.1-1, libhwloc15 2.9.0-1.
# Needs:    apt, gcc; no root, no mpiexec (one rank).
# Asked:    persistent collectives of MPI 4.0 on a communicator of one rank: each is made, then its
#           send buffer is filled, then it is started and waited for.
# Seen:     MPI_Gather_init: the result is the number that the buffer had before. MPI_Scatter_init,
#           MPI_Allgather_init, MPI_Allreduce_init and MPI_Alltoall_init: the one that it has. No
#           call returns an error.
# Expected: what is sent is what the buffer has at MPI_Start, for all of them: it may be changed while
#           the request is inactive (MPI 4.0, 6.12).
# For us:   persistent collectives of virtual ranks read their buffers when they are started, so a
#           program may print something else than under mpiexec with this MPICH.
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

cat >persistent.c <<'C'
#include <mpi.h>
#include <stdio.h>

static void start(const char* name, int* from, int* to, MPI_Request* request) {
  *from = 2;
  MPI_Start(request);
  MPI_Wait(request, MPI_STATUS_IGNORE);
  printf("%s of 2, which was 1 before: %d\n", name, *to);
  MPI_Request_free(request);
}

int main(int argc, char** argv) {
  MPI_Comm all = MPI_COMM_WORLD;
  MPI_Info none = MPI_INFO_NULL;
  MPI_Request request;
  int from, to;
  MPI_Init(&argc, &argv);
  from = 1, to = -1;
  MPI_Gather_init(&from, 1, MPI_INT, &to, 1, MPI_INT, 0, all, none, &request);
  start("gather", &from, &to, &request);
  from = 1, to = -1;
  MPI_Scatter_init(&from, 1, MPI_INT, &to, 1, MPI_INT, 0, all, none, &request);
  start("scatter", &from, &to, &request);
  from = 1, to = -1;
  MPI_Allgather_init(&from, 1, MPI_INT, &to, 1, MPI_INT, all, none, &request);
  start("allgather", &from, &to, &request);
  from = 1, to = -1;
  MPI_Allreduce_init(&from, &to, 1, MPI_INT, MPI_SUM, all, none, &request);
  start("allreduce", &from, &to, &request);
  from = 1, to = -1;
  MPI_Alltoall_init(&from, 1, MPI_INT, &to, 1, MPI_INT, all, none, &request);
  start("alltoall", &from, &to, &request);
  MPI_Finalize();
  return 0;
}
C
gcc -O1 -I root/usr/include/x86_64-linux-gnu/mpich persistent.c \
  "$libraries"/libmpich.so.12 -Wl,--allow-shlib-undefined -o persistent || cannot "no compiler"
LD_LIBRARY_PATH=$libraries timeout 100 ./persistent >seen 2>/dev/null ||
  cannot "the program did not end well"
cat seen
cat >expected <<'TEXT'
gather of 2, which was 1 before: 1
scatter of 2, which was 1 before: 2
allgather of 2, which was 1 before: 2
allreduce of 2, which was 1 before: 2
alltoall of 2, which was 1 before: 2
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
