// Windows on memory that a program has mapped itself, with all kinds of access, while others move.
#include <string.h>
#include <sys/mman.h>

#include "check.h"

enum { kCells = 1024 };
static const size_t kBytes = kCells * sizeof(long);

static long* map(int flags) {
  void* memory = mmap(NULL, kBytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) MPI_Abort(MPI_COMM_WORLD, 3);
  return memory;
}
static void fill(long* cells, long first) {
  for (int i = 0; i < kCells; ++i) cells[i] = first + i;
}
static long total(const long* cells, int count) {
  long sum = 0;
  for (int i = 0; i < count; ++i) sum = sum * 31 + cells[i];
  return sum;
}

// Each on another kind of memory: mapped for itself, mapped to be shared, of malloc.
static long* memory_of(int kind) {
  return kind == 0 ? map(MAP_PRIVATE) : kind == 1 ? map(MAP_SHARED) : malloc(kBytes);
}
static void give_back(long* cells, int kind) {
  if (kind < 2)
    munmap(cells, kBytes);
  else
    free(cells);
}

static void fences(int kind) {
  const int right = (me + 1) % n, left = (me + n - 1) % n;
  long *cells = memory_of(kind), *own = memory_of(kind), got[8] = {0};
  MPI_Win window;
  fill(cells, me * 10000);
  fill(own, me * 10000 + 5000);
  MPI_Win_create(cells, (MPI_Aint)kBytes, sizeof(long), MPI_INFO_NULL, MPI_COMM_WORLD, &window);
  MPI_Win_fence(0, window);
  MPI_Get(got, 8, MPI_LONG, left, 100, 8, MPI_LONG, window);
  MPI_Put(own, 8, MPI_LONG, right, 8 * me, 8, MPI_LONG, window);
  MPI_Accumulate(own, 4, MPI_LONG, right, 200, 4, MPI_LONG, MPI_SUM, window);
  MPI_Win_fence(0, window);
  say("kind %d, fences: %ld %ld", kind, total(got, 8), total(cells, kCells));
  MPI_Barrier(MPI_COMM_WORLD);
  // To and from memory that is mapped.
  MPI_Win_fence(0, window);
  MPI_Get(own, 16, MPI_LONG, left, 500, 16, MPI_LONG, window);
  MPI_Win_fence(0, window);
  say("kind %d, fetched: %ld", kind, total(own, kCells));
  MPI_Win_free(&window);
  give_back(cells, kind);
  give_back(own, kind);
}

// Rank 0 waits in a receive while the others count in its memory.
static void locks(int kind) {
  long* cells = memory_of(kind);
  MPI_Win window;
  fill(cells, 0);
  MPI_Win_create(cells, (MPI_Aint)kBytes, sizeof(long), MPI_INFO_NULL, MPI_COMM_WORLD, &window);
  MPI_Barrier(MPI_COMM_WORLD);
  if (me == 0) {
    for (int i = 1; i < n; ++i) MPI_Recv(NULL, 0, MPI_INT, i, 9, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  } else {
    for (long i = 0; i < 10; ++i) {
      long value;
      MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, window);
      MPI_Get(&value, 1, MPI_LONG, 0, 0, 1, MPI_LONG, window);
      MPI_Win_flush(0, window);
      value += me;
      MPI_Put(&value, 1, MPI_LONG, 0, 0, 1, MPI_LONG, window);
      MPI_Win_unlock(0, window);
      MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, window);
      MPI_Fetch_and_op(&i, &value, MPI_LONG, 0, 1, MPI_SUM, window);
      MPI_Win_unlock(0, window);
    }
    MPI_Send(NULL, 0, MPI_INT, 0, 9, MPI_COMM_WORLD);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  long counted[2];
  MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, window);
  MPI_Get(counted, 2, MPI_LONG, 0, 0, 2, MPI_LONG, window);
  MPI_Win_unlock(0, window);
  say("kind %d, locks: %ld %ld", kind, counted[0], counted[1]);
  MPI_Win_free(&window);
  give_back(cells, kind);
}

static void attached(int kind) {
  const int right = (me + 1) % n;
  long *first = memory_of(kind), *second = memory_of(2), got[2];
  MPI_Aint here[2], there[2 * 64];
  MPI_Win window;
  MPI_Win_create_dynamic(MPI_INFO_NULL, MPI_COMM_WORLD, &window);
  fill(first, me * 100);
  fill(second, me * 100 + 50);
  MPI_Win_attach(window, first, (MPI_Aint)kBytes);
  MPI_Win_attach(window, second, (MPI_Aint)kBytes);
  MPI_Get_address(first, &here[0]);
  MPI_Get_address(second, &here[1]);
  MPI_Allgather(here, 2, MPI_AINT, there, 2, MPI_AINT, MPI_COMM_WORLD);
  MPI_Win_lock_all(0, window);
  for (int i = 0; i < 2; ++i)
    MPI_Get(&got[i], 1, MPI_LONG, right, MPI_Aint_add(there[2 * right + i], 80), 1, MPI_LONG, window);
  MPI_Win_flush_all(window);
  say("kind %d, attached: %ld %ld", kind, got[0], got[1]);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Win_detach(window, first);
  give_back(first, kind);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Put(&got[0], 1, MPI_LONG, right, there[2 * right + 1], 1, MPI_LONG, window);
  MPI_Win_unlock_all(window);
  MPI_Barrier(MPI_COMM_WORLD);
  say("kind %d, after the first: %ld", kind, second[0]);
  MPI_Win_detach(window, second);
  MPI_Win_free(&window);
  free(second);
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  for (int kind = 0; kind < 3; ++kind) {
    fences((kind + me) % 3);  // each another one
    locks((kind + me) % 3);
    attached((kind + me) % 3);
  }
  MPI_Finalize();
}
