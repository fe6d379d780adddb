#!/usr/bin/env bash
# A call of MPI's C interface that fails returns MPI_SUCCESS, if the communicator has an error handler
# that was made by the C++ interface, and that returns.
#
# With:     Debian 12, libmpich12 and libmpich-dev 4.0.2-3+b1, libucx0 1.13.1-1, libhwloc15 2.9.0-1.
# Needs:    apt, g++; no root, no mpiexec (one rank).
# Asked:    MPI_Send to a rank that the communicator does not have, with MPI_ERRORS_RETURN, with a
#           handler of MPI_Comm_create_errhandler that counts its calls, and with one of
#           MPI::Comm::Create_errhandler that does the same.
# Seen:     the first two return an error; the third says MPI_SUCCESS. Both handlers are called once.
# Expected: an error in all three: nothing was sent, and the standard has one rule for handlers that
#           return (MPI 3.1, 8.3), whichever interface made them.
# For us:   a C library under a C++ program does not learn of its errors. Virtual ranks do the same as
#           MPICH, since the functions of its C++ interface call the handler once more otherwise.
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

cat >handlers.cc <<'C'
#include <mpi.h>
#include <cstdio>

static int calls = 0;
static void of_c(MPI_Comm*, int*, ...) { ++calls; }
static void of_cxx(MPI::Comm&, int*, ...) { ++calls; }

static void send(const char* with, MPI_Comm comm) {
  int value = 0;
  calls = 0;
  const int code = MPI_Send(&value, 1, MPI_INT, 999, 0, comm);
  std::printf("%s: %s, %d calls\n", with, code == MPI_SUCCESS ? "MPI_SUCCESS" : "an error", calls);
}

int main() {
  MPI::Init();
  MPI::Intracomm comm = MPI::COMM_WORLD.Dup();
  MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
  send("errors return", comm);
  MPI_Errhandler handler;
  MPI_Comm_create_errhandler(of_c, &handler);
  MPI_Comm_set_errhandler(comm, handler);
  send("handler of C", comm);
  comm.Set_errhandler(MPI::Comm::Create_errhandler(of_cxx));
  send("handler of C++", comm);
  MPI::Finalize();
  return 0;
}
C
g++ -O1 -w -I root/usr/include/x86_64-linux-gnu/mpich handlers.cc "$libraries"/libmpichcxx.so.12 \
  "$libraries"/libmpich.so.12 -Wl,--allow-shlib-undefined -o handlers || cannot "no compiler"
LD_LIBRARY_PATH=$libraries timeout 100 ./handlers >seen 2>/dev/null ||
  cannot "the program did not end well"
cat seen
cat >expected <<'TEXT'
errors return: an error, 0 calls
handler of C: an error, 1 calls
handler of C++: MPI_SUCCESS, 1 calls
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
