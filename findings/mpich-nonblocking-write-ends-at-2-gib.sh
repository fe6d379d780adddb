#!/usr/bin/env bash
# A nonblocking write of more than 2 GiB through MPI-IO writes 2,147,479,552 bytes and reports success.
#
# With:     Debian 12, libmpich12 and libmpich-dev 4.0.2-3+b1, libucx0 1.13.1-1, libhwloc15 2.9.0-1.
# Needs:    apt, gcc, 3 GiB of room in the temporary folder; no root, no mpiexec (one rank).
# Asked:    2049 elements of a contiguous type of 1 MiB, so that the count fits an int easily.
# Seen:     MPI_File_write_at   writes and reports all 2,148,532,224 bytes.
#           MPI_File_iwrite_at  and MPI_File_iwrite write the first 2,147,479,552 (0x7ffff000: the most
#           that one write(2) of Linux transfers). The call and MPI_Wait return MPI_SUCCESS. Only
#           MPI_Get_elements_x on the status tells; few programs ask it after a write.
# Expected: all bytes, as the blocking call does, or an error.
# For us:   checkpoints are not written through MPI-IO, and a facade over it must cut what it passes on.
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

cat >large_write.c <<'C'
#include <mpi.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

static void report(const char* call, MPI_File file, const char* path, int error, MPI_Status* status) {
  MPI_Count told = -1;
  MPI_Get_elements_x(status, MPI_CHAR, &told);
  MPI_File_close(&file);
  struct stat now;
  stat(path, &now);
  printf("%s: error %d, told %lld, in the file %lld\n", call, error, (long long)told,
         (long long)now.st_size);
  remove(path);
}

int main(int argc, char** argv) {
  const char* path = argv[argc - 1];
  MPI_Init(&argc, &argv);
  const int mib = 1 << 20, count = 2049;
  const char* zeros = mmap(0, (size_t)count * mib, PROT_READ,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  MPI_Datatype piece;
  MPI_Type_contiguous(mib, MPI_CHAR, &piece);
  MPI_Type_commit(&piece);
  for (int blocking = 1; blocking >= 0; --blocking) {
    MPI_File file;
    MPI_Status status;
    MPI_Request request;
    MPI_File_open(MPI_COMM_SELF, path, MPI_MODE_CREATE | MPI_MODE_WRONLY, MPI_INFO_NULL, &file);
    int error = blocking ? MPI_File_write_at(file, 0, zeros, count, piece, &status)
                         : MPI_File_iwrite_at(file, 0, zeros, count, piece, &request);
    if (!blocking && error == MPI_SUCCESS) error = MPI_Wait(&request, &status);
    report(blocking ? "write_at" : "iwrite_at", file, path, error, &status);
  }
  MPI_Type_free(&piece);
  MPI_Finalize();
  return 0;
}
C
gcc -O1 -I root/usr/include/x86_64-linux-gnu/mpich large_write.c \
  "$libraries"/libmpich.so.12 -Wl,--allow-shlib-undefined -o large_write || cannot "no compiler"
LD_LIBRARY_PATH=$libraries timeout 150 ./large_write "$folder/data" >seen 2>/dev/null ||
  cannot "the program did not end well (is there room for 3 GiB?)"
cat seen
cat >expected <<'TEXT'
write_at: error 0, told 2148532224, in the file 2148532224
iwrite_at: error 0, told 2147479552, in the file 2147479552
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
