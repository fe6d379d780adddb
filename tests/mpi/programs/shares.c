// shares ROUNDS: all members of a shared window write their cells and read those of all others,
// round by round, with pauses in which a checkpoint may come. Each prints what it has read in the
// end.

#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { kCells = 5000 };

int main(int argc, char** argv) {
  int me, n;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &me);
  MPI_Comm_size(MPI_COMM_WORLD, &n);
  uint64_t* own;
  MPI_Win window;
  MPI_Win_allocate_shared(kCells * sizeof *own, sizeof *own, MPI_INFO_NULL, MPI_COMM_WORLD, &own,
                          &window);
  uint64_t sum = 1;
  MPI_Win_lock_all(MPI_MODE_NOCHECK, window);
  for (int round = 0; round < atoi(argv[1]); ++round) {
    for (int i = 0; i < kCells; ++i) own[i] = (uint64_t)round * 1000 + (uint64_t)(me * i);
    usleep(10000);
    MPI_Win_sync(window);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Win_sync(window);
    for (int r = 0; r < n; ++r) {
      MPI_Aint bytes;
      int unit;
      uint64_t* cells;
      MPI_Win_shared_query(window, r, &bytes, &unit, &cells);
      for (int i = 0; i < kCells; ++i) sum = (sum ^ cells[i]) * 0x9e3779b97f4a7c15 + (sum >> 31);
    }
    MPI_Barrier(MPI_COMM_WORLD);
  }
  MPI_Win_unlock_all(window);
  printf("rank %d of %d has read %016llx\n", me, n, (unsigned long long)sum);
  MPI_Win_free(&window);
  MPI_Finalize();
  return 0;
}
