// What MPI's functions take, for bench/mpi_race: built by MPICH's compiler, run as processes and as
// virtual ranks.
//
//   pingpong BYTES    between ranks 0 and 1: a message there and back, halved
//   allreduce COUNT   of so many doubles over MPI_COMM_WORLD
//   barrier
//   copy BYTES        the floor of pingpong, of two processes: each copies in its turn what the
//   other
//                     has just copied, out of memory that they share, and nothing more
//   start             nothing: all meet once
//
// Rank 0 prints the best and the median of slices, each of some milliseconds, in nanoseconds.

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kSlices = 41 };

static int rank, size;

static void ping_pong(char* buffer, int bytes, int turns) {
  for (int i = 0; i < turns; ++i) {
    if (rank == 0) {
      MPI_Send(buffer, bytes, MPI_CHAR, 1, 0, MPI_COMM_WORLD);
      MPI_Recv(buffer, bytes, MPI_CHAR, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else if (rank == 1) {
      MPI_Recv(buffer, bytes, MPI_CHAR, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      MPI_Send(buffer, bytes, MPI_CHAR, 0, 0, MPI_COMM_WORLD);
    }
  }
}

static void allreduce(int count, int turns) {
  double in[64], out[64];
  for (int i = 0; i < count; ++i) in[i] = rank;
  for (int i = 0; i < turns; ++i) {
    MPI_Allreduce(in, out, count, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    if (out[0] != 0.5 * size * (size - 1)) {
      printf("wrong sum %g\n", out[0]);
      MPI_Abort(MPI_COMM_WORLD, 1);
    }
  }
}

static void barrier(int turns) {
  for (int i = 0; i < turns; ++i) MPI_Barrier(MPI_COMM_WORLD);
}

// What two processes copy from each other, and whose turn it is.
static char* shared;
static volatile int* turn;

static void share(int bytes) {
  MPI_Win window;
  const MPI_Aint all = rank == 0 ? 2 * (MPI_Aint)bytes + 64 : 0;
  MPI_Win_allocate_shared(all, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &shared, &window);
  MPI_Aint size_there;
  int unit;
  MPI_Win_shared_query(window, 0, &size_there, &unit, &shared);
  turn = (volatile int*)(shared + 2 * (size_t)bytes);
  if (rank == 0) memset(shared, 1, (size_t)all);
  MPI_Barrier(MPI_COMM_WORLD);
  *turn = 0;
  MPI_Barrier(MPI_COMM_WORLD);
}

static void copy(int bytes, int turns) {
  if (rank > 1) return;
  char* const mine = shared + (size_t)rank * (size_t)bytes;
  const char* const theirs = shared + (size_t)(1 - rank) * (size_t)bytes;
  for (int i = 0; i < turns; ++i) {
    while (*turn != rank) __builtin_ia32_pause();
    memcpy(mine, theirs, (size_t)bytes);
    *turn = 1 - rank;
  }
}

static void run(const char* what, char* buffer, int amount, int turns) {
  if (strcmp(what, "pingpong") == 0) {
    ping_pong(buffer, amount, turns);
  } else if (strcmp(what, "allreduce") == 0) {
    allreduce(amount, turns);
  } else if (strcmp(what, "copy") == 0) {
    copy(amount, turns);
  } else {
    barrier(turns);
  }
}

static int by_size(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

int main(int argc, char** argv) {
  double slice_ns[kSlices];
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const char* what = argc > 1 ? argv[1] : "barrier";
  const int amount = argc > 2 ? atoi(argv[2]) : 0;
  const double slice_s = argc > 3 ? atof(argv[3]) : 4e-3;
  if (strcmp(what, "start") == 0) {
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
  }
  char* buffer = calloc(1, (size_t)amount + 64);

  if (strcmp(what, "copy") == 0) share(amount);

  // So many turns take about a slice.
  int turns = 1;
  for (;;) {
    MPI_Barrier(MPI_COMM_WORLD);
    const double begin_s = MPI_Wtime();
    run(what, buffer, amount, turns);
    int more = MPI_Wtime() - begin_s < slice_s && turns < 1 << 20;
    MPI_Bcast(&more, 1, MPI_INT, 0, MPI_COMM_WORLD);
    if (!more) break;
    turns *= 2;
  }
  for (int i = 0; i < kSlices; ++i) {
    MPI_Barrier(MPI_COMM_WORLD);
    const double begin_s = MPI_Wtime();
    run(what, buffer, amount, turns);
    slice_ns[i] = (MPI_Wtime() - begin_s) / turns * 1e9;
    if (strcmp(what, "pingpong") == 0 || strcmp(what, "copy") == 0) slice_ns[i] /= 2;
  }
  if (rank == 0) {
    qsort(slice_ns, kSlices, sizeof slice_ns[0], by_size);
    printf("%s %d: best_ns %.1f median_ns %.1f\n", what, amount, slice_ns[0],
           slice_ns[kSlices / 2]);
  }
  free(buffer);
  MPI_Finalize();
  return 0;
}
