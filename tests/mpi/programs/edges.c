// What lies at the edges of the standard. The program itself judges what is right: MPICH 4.0 has
// faults of its own here.
#include <unistd.h>

#include "check.h"

static int wrong;
static void expect(int right, const char* what, long seen) {
  if (right) return;
  ++wrong;
  say("wrong: %s (%ld)", what, seen);
}

// Others get on with what they wait for.
static void wait_a_while(void) {
  for (int i = 0, flag; i < 50; ++i) {
    MPI_Iprobe(MPI_ANY_SOURCE, 99, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE);
    usleep(1000);
  }
}

// One has asked for all locks, and loads and stores; the others, each with the lock for itself, wait.
static void stores_under_lock_all(MPI_Win window, volatile long* cell, int who, const char* what) {
  if (me == 0) *cell = 1;
  MPI_Barrier(MPI_COMM_WORLD);
  if (me == who) {
    MPI_Win_lock_all(0, window);
    const long before = *cell;
    MPI_Barrier(MPI_COMM_WORLD);
    wait_a_while();
    expect(*cell == before, what, *cell);
    *cell = before + 1;
    MPI_Win_unlock_all(window);
  } else {
    long value;
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, window);
    MPI_Get(&value, 1, MPI_LONG, 0, 0, 1, MPI_LONG, window);
    MPI_Win_flush(0, window);
    value += 10;
    MPI_Put(&value, 1, MPI_LONG, 0, 0, 1, MPI_LONG, window);
    MPI_Win_unlock(0, window);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  if (me == who) {
    MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, window);
    expect(*cell == 2 + 10 * (n - 1), what, *cell);
    MPI_Win_unlock(0, window);
  }
  MPI_Win_free(&window);
}
static void locks(void) {
  long *cells, *first;
  MPI_Win window;
  MPI_Win_allocate(sizeof(long), sizeof(long), MPI_INFO_NULL, MPI_COMM_WORLD, &cells, &window);
  stores_under_lock_all(window, cells, 0, "lock_all keeps others from own memory");
  MPI_Aint size;
  int unit;
  MPI_Win_allocate_shared(sizeof(long), sizeof(long), MPI_INFO_NULL, MPI_COMM_WORLD, &cells, &window);
  MPI_Win_shared_query(window, 0, &size, &unit, &first);
  stores_under_lock_all(window, first, n - 1, "lock_all keeps others from shared memory");
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  locks();
  MPI_Barrier(MPI_COMM_WORLD);
  say("end: %d wrong", wrong);
  MPI_Finalize();
  return 0;
}
