// A rank sends many short messages to one that does not receive yet: for flood_test.sh.
//
//   flood BYTES SECONDS
//
// Rank 0 sends to rank 1, which waits for rank 2's word; that waits so long at most, looks whether rank 0
// is through, and gives it. Rank 0 is through if what it sent lies at rank 1, and is not if it waits
// until rank 1 has room.

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kMessages = 60000, kMost = 256 };
enum { kFlood = 1, kThrough = 2, kGo = 3 };

int main(int argc, char** argv) {
  int me, wrong = 0, through = 0;
  char data[kMost] = {0};
  const int bytes = argc > 1 ? atoi(argv[1]) : 8;
  const double most_s = argc > 2 ? atof(argv[2]) : 3;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &me);
  if (me == 0) {
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
