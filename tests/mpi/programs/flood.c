// A rank sends many short messages to one that does not receive yet: for flood_test.sh.
//
//   flood BYTES SECONDS [accumulates|fetches]
//
// Rank 0 sends to rank 1, which waits for rank 2's word; that waits so long at most, looks whether rank 0
// is through, and gives it. Rank 0 is through if what it sent lies at rank 1, and is not if it waits
// until rank 1 has room. With a third argument it accesses rank 2's window so often instead, without
// waiting for it, and rank 2 computes so long: rank 0 is through if it is before that ends.

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kMessages = 60000, kMost = 256 };
enum { kFlood = 1, kThrough = 2, kGo = 3 };

// Whether rank 0 was through.
static int accesses(int me, double most_s, int fetches, int* wrong) {
  long* counter;
  static long before[kMessages];
  const long one = 1;
  double ends_s[2] = {0, 0};
  MPI_Win window;
  MPI_Win_allocate(sizeof *counter, sizeof *counter, MPI_INFO_NULL, MPI_COMM_WORLD, &counter, &window);
  *counter = 0;
  MPI_Barrier(MPI_COMM_WORLD);
  if (me == 0) {
    MPI_Win_lock(MPI_LOCK_SHARED, 2, 0, window);
    for (int i = 0; i < kMessages; ++i) {
      if (fetches)
        MPI_Fetch_and_op(&one, &before[i], MPI_LONG, 2, 0, MPI_SUM, window);
      else
        MPI_Accumulate(&one, 1, MPI_LONG, 2, 0, 1, MPI_LONG, MPI_SUM, window);
    }
    ends_s[0] = MPI_Wtime();
    MPI_Win_unlock(2, window);
    for (int i = 0; fetches && i < kMessages; ++i) *wrong += before[i] != i;
  } else if (me == 2) {
    const double begin_s = MPI_Wtime();
    while (MPI_Wtime() - begin_s < most_s) {
    }
    ends_s[1] = MPI_Wtime();
  }
  MPI_Barrier(MPI_COMM_WORLD);
  if (me == 2) *wrong += *counter != kMessages;
  MPI_Win_free(&window);
  MPI_Allreduce(MPI_IN_PLACE, ends_s, 2, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  return ends_s[0] < ends_s[1];
}

int main(int argc, char** argv) {
  int me, wrong = 0, through = 0;
  char data[kMost] = {0};
  const int bytes = argc > 1 ? atoi(argv[1]) : 8;
  const double most_s = argc > 2 ? atof(argv[2]) : 3;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &me);
  if (argc > 3) {
    through = accesses(me, most_s, strcmp(argv[3], "fetches") == 0, &wrong);
  } else if (me == 0) {
    for (int i = 0; i < kMessages; ++i) {
      if (bytes >= (int)sizeof i) memcpy(data, &i, sizeof i);
      MPI_Send(data, bytes, MPI_CHAR, 1, kFlood, MPI_COMM_WORLD);
    }
    MPI_Send(NULL, 0, MPI_INT, 2, kThrough, MPI_COMM_WORLD);
  } else if (me == 1) {
    MPI_Recv(NULL, 0, MPI_INT, 2, kGo, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    for (int i = 0; i < kMessages; ++i) {
      MPI_Status status;
      int count = -1;
      MPI_Recv(data, kMost, MPI_CHAR, 0, kFlood, MPI_COMM_WORLD, &status);
      MPI_Get_count(&status, MPI_CHAR, &count);
      wrong += count != bytes || (bytes >= (int)sizeof i && memcmp(data, &i, sizeof i) != 0);
    }
  } else if (me == 2) {
    const double begin_s = MPI_Wtime();
    while (!through && MPI_Wtime() - begin_s < most_s)
      MPI_Iprobe(0, kThrough, MPI_COMM_WORLD, &through, MPI_STATUS_IGNORE);
    MPI_Send(NULL, 0, MPI_INT, 1, kGo, MPI_COMM_WORLD);
    MPI_Recv(NULL, 0, MPI_INT, 0, kThrough, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  }
  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (me == 2) printf("%d wrong, %s\n", wrong, through ? "was through" : "waited");
  MPI_Finalize();
  return 0;
}
