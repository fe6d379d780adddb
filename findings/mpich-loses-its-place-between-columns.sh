#!/usr/bin/env bash
# MPICH reads the columns of a matrix through a file view, two elements at a time: from the third call
# on it reads what is elsewhere, and reports success.
#
# With:     Debian 12, libmpich12 and libmpich-dev 4.0.2-3+b1, libucx0 1.13.1-1, libhwloc15 2.9.0-1.
# Needs:    apt, gcc; no root, no mpiexec (one rank).
# Asked:    a file of 4 x 4 numbers, 0 to 15 by rows. The file type is a column, a vector of 4 blocks of
#           one MPI_INT, 4 apart, resized to the extent of one MPI_INT, as for scatter and gather: the
#           next column begins before this one ends. MPI_File_read of 2, and again until all are read;
#           MPI_File_read_at of 4 elements from element 2 on, and of whole columns.
# Seen:     whole columns are right. Of two at a time: 0 4, 8 12, then 8 12 for ever, each time with
#           success and a count of 2; the file pointer is 2, then 16 in place of 4, then 48.
#           read_at of 4 from element 2: other numbers, which change with what was read before, also with
#           success.
# Expected: 0 4 8 12 1 5 9 13 ..., which MPI_File_get_byte_offset gives too; or an error.
# For us:   views of roam-mpi are its own; tests/mpi/programs/columns.c compares each way through such a
#           view with a model (docs/decisions/0050).
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

cat >columns.c <<'C'
#include <mpi.h>
#include <stdio.h>

static void print(const char *call, const int *numbers, int n, MPI_Status *status) {
  int count = 0;
  MPI_Get_count(status, MPI_INT, &count);
  printf("%s:", call);
  for (int i = 0; i < n; ++i) printf(" %d", numbers[i]);
  printf(" (%d read)", count);
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  int numbers[16], in[8];
  for (int i = 0; i < 16; ++i) numbers[i] = i;
  MPI_File file;
  MPI_Status status;
  MPI_File_open(MPI_COMM_SELF, argv[1], MPI_MODE_CREATE | MPI_MODE_WRONLY, MPI_INFO_NULL, &file);
  MPI_File_write_at(file, 0, numbers, 16, MPI_INT, &status);
  MPI_File_close(&file);

  MPI_Datatype vector, column;
  MPI_Type_vector(4, 1, 4, MPI_INT, &vector);
  MPI_Type_create_resized(vector, 0, sizeof(int), &column);
  MPI_Type_commit(&column);
  MPI_File_open(MPI_COMM_SELF, argv[1], MPI_MODE_RDONLY, MPI_INFO_NULL, &file);
  MPI_File_set_view(file, 0, MPI_INT, column, "native", MPI_INFO_NULL);
  for (int i = 0; i < 8; ++i) {
    MPI_Offset place = 0;
    MPI_File_get_byte_offset(file, i, &place);
    printf("%lld ", (long long)place / 4);
  }
  printf("are the places\n");
  MPI_File_read_at(file, 4, in, 4, MPI_INT, &status);
  print("column 1", in, 4, &status);
  MPI_File_read_at(file, 2, in, 4, MPI_INT, &status);
  const int right = in[0] == 8 && in[1] == 12 && in[2] == 1 && in[3] == 5;
  printf("\n4 from 2 on: %s", right ? "right" : "wrong numbers");
  for (int i = 0; i < 4; ++i) {
    MPI_Offset pointer = 0;
    MPI_File_read(file, in, 2, MPI_INT, &status);
    print("\nthe next 2", in, 2, &status);
    MPI_File_get_position(file, &pointer);
    printf(", pointer at %lld", (long long)pointer);
  }
  puts("");
  MPI_File_close(&file);
  MPI_Type_free(&column);
  MPI_Type_free(&vector);
  MPI_Finalize();
  return 0;
}
C
gcc -O1 -I root/usr/include/x86_64-linux-gnu/mpich columns.c \
  "$libraries"/libmpich.so.12 -Wl,--allow-shlib-undefined -o columns || cannot "no compiler"
LD_LIBRARY_PATH=$libraries timeout 60 ./columns "$folder/data" >seen 2>/dev/null ||
  cannot "the program did not end well"
cat seen
cat >expected <<'TEXT'
0 4 8 12 1 5 9 13 are the places
column 1: 1 5 9 13 (4 read)
4 from 2 on: wrong numbers
the next 2: 0 4 (2 read), pointer at 2
the next 2: 8 12 (2 read), pointer at 16
the next 2: 8 12 (2 read), pointer at 48
the next 2: 8 12 (2 read), pointer at 80
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
