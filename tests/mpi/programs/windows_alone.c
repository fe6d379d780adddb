// What virtual ranks may give a window, and what not. The program itself judges what is right.
#include <string.h>
#include <sys/mman.h>

#include "judge.h"

// By AMPI's names, which a process has not.
int AMPI_Migrate_to_pe(int rank) __attribute__((weak));
int AMPI_My_pe(int* rank) __attribute__((weak));

static int class_of(int code) {
  int class;
  MPI_Error_class(code, &class);
  return class;
}

static __thread long own[8];
static const long constant[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static long global[8];

// Only some give what cannot be given: all are told, and nobody waits for anybody.
static void refused(void* memory, const char* what) {
  MPI_Win window = MPI_WIN_NULL;
  for (int who = 0; who < n; ++who) {
    const int code = MPI_Win_create(me == who ? memory : global, sizeof global, sizeof(long),
                                    MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    expect(class_of(code) == MPI_ERR_BASE, what, class_of(code));
    if (code == MPI_SUCCESS) MPI_Win_free(&window);
  }
  MPI_Win_create_dynamic(MPI_INFO_NULL, MPI_COMM_WORLD, &window);
  MPI_Win_set_errhandler(window, MPI_ERRORS_RETURN);
  const int code = MPI_Win_attach(window, memory, sizeof global);
  expect(class_of(code) == MPI_ERR_BASE, what, class_of(code));
  MPI_Win_free(&window);
}
// More than there is, by one only.
static void too_large(void) {
  MPI_Win window = MPI_WIN_NULL;
  void* memory;
  const MPI_Aint huge = (MPI_Aint)1 << 60;
  int code = MPI_Win_allocate(me == 1 ? huge : 8, 8, MPI_INFO_NULL, MPI_COMM_WORLD, &memory, &window);
  expect(class_of(code) == MPI_ERR_NO_MEM, "MPI_Win_allocate", class_of(code));
  code = MPI_Win_allocate_shared(me == 1 ? huge : 8, 8, MPI_INFO_NULL, MPI_COMM_WORLD, &memory, &window);
  expect(class_of(code) == MPI_ERR_NO_MEM, "MPI_Win_allocate_shared", class_of(code));
}

// All together more than there are addresses: their sum has no number.
static void too_large_together(void) {
  MPI_Win window = MPI_WIN_NULL;
  void* memory;
  const int code = MPI_Win_allocate_shared((MPI_Aint)1 << 62, 8, MPI_INFO_NULL, MPI_COMM_WORLD,
                                           &memory, &window);
  expect(class_of(code) == MPI_ERR_NO_MEM, "a sum that is too large", class_of(code));
}

// Only one wants memory of its own: each has as much as it has asked for.
static void different_wishes(void) {
  enum { kEach = 5000 };
  for (int who = 0; who < n; ++who) {
    MPI_Info info;
    MPI_Win window;
    long* mine;
    MPI_Info_create(&info);
    MPI_Info_set(info, "alloc_shared_noncontig", me == who ? "true" : "false");
    MPI_Win_allocate_shared(kEach * sizeof(long), sizeof(long), info, MPI_COMM_WORLD, &mine, &window);
    MPI_Info_free(&info);
    MPI_Win_lock_all(0, window);
    for (long i = 0; i < kEach; ++i) mine[i] = me * 10000 + i;
    MPI_Win_sync(window);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Win_sync(window);
    int bad = 0;
    for (int r = 0; r < n; ++r) {
      MPI_Aint bytes;
      int unit;
      long* theirs;
      MPI_Win_shared_query(window, r, &bytes, &unit, &theirs);
      for (long i = 0; i < kEach; ++i) bad += theirs[i] != r * 10000 + i;
    }
    expect(bad == 0, "shared memory of different wishes", bad);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Win_unlock_all(window);
    MPI_Win_free(&window);
  }
}

// Displacements of more bytes than an int counts.
static void long_units(void) {
  const MPI_Aint unit = ((MPI_Aint)1 << 31) + 8;
  MPI_Win window = MPI_WIN_NULL;
  long *cells, value = me + 50;
  int code = MPI_Win_allocate_shared_c(2 * sizeof(long), unit, MPI_INFO_NULL, MPI_COMM_WORLD, &cells,
                                       &window);
  expect(code == MPI_SUCCESS, "a long unit", class_of(code));
  if (code != MPI_SUCCESS) return;
  int found, *known, few;
  MPI_Aint many, bytes;
  void* base;
  MPI_Win_set_errhandler(window, MPI_ERRORS_RETURN);
  MPI_Win_get_attr(window, MPI_WIN_DISP_UNIT, &known, &found);
  MPI_Win_shared_query(window, me, &bytes, &few, &base);
  MPI_Win_shared_query_c(window, me, &bytes, &many, &base);
  expect(found && *known == MPI_UNDEFINED && few == MPI_UNDEFINED, "an int for it", few);
  expect(many == unit, "the unit", many);
  MPI_Win_fence(0, window);
  MPI_Put(&value, 1, MPI_LONG, (me + 1) % n, 0, 1, MPI_LONG, window);
  MPI_Win_fence(0, window);
  expect(cells[0] == (me + n - 1) % n + 50, "what was put", cells[0]);
  MPI_Put(&value, 1, MPI_LONG, (me + 1) % n, 1, 1, MPI_LONG, window);
  code = MPI_Win_fence(0, window);
  expect(class_of(code) == MPI_ERR_RMA_RANGE, "beside the window", class_of(code));
  MPI_Win_free(&window);
}

// Where it is after it has asked to be on each.
static int places(int ranks) {
  int seen = 0;
  for (int i = 0; i < ranks; ++i) {
    int here;
    AMPI_Migrate_to_pe(i);
    AMPI_My_pe(&here);
    seen += here == i;
  }
  return seen;
}
// Who gives memory that it has mapped stays while that is given, and no longer.
static void stays(void) {
  int here, ranks;
  AMPI_My_pe(&here);
  MPI_Allreduce(&here, &ranks, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  ++ranks;
  expect(places(ranks) == ranks, "moves before", places(ranks));
  for (int kind = 0; kind < 2; ++kind) {
    MPI_Win window;
    long value = me + 1, got = 0;
    long* cells = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MPI_Aint mine, at = 0;
    if (kind == 0) {
      MPI_Win_create(cells, 4096, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    } else {
      MPI_Win_create_dynamic(MPI_INFO_NULL, MPI_COMM_WORLD, &window);
      MPI_Win_attach(window, cells, 4096);
      MPI_Get_address(cells, &mine);
      MPI_Sendrecv(&mine, 1, MPI_AINT, (me + n - 1) % n, 1, &at, 1, MPI_AINT, (me + 1) % n, 1,
                   MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    MPI_Win_fence(0, window);
    MPI_Put(&value, 1, MPI_LONG, (me + 1) % n, at, 1, MPI_LONG, window);
    MPI_Win_fence(0, window);
    expect(places(ranks) == 1, "moves meanwhile", places(ranks));
    MPI_Get(&got, 1, MPI_LONG, (me + 1) % n, at, 1, MPI_LONG, window);
    MPI_Win_fence(0, window);
    expect(got == me + 1 && cells[0] == (me + n - 1) % n + 1, "what was put", got);
    if (kind == 1) MPI_Win_detach(window, cells);
    MPI_Barrier(MPI_COMM_WORLD);
    if (kind == 0) MPI_Win_free(&window);
    munmap(cells, 4096);
    expect(places(ranks) == ranks, "moves afterwards", places(ranks));
    if (kind == 1) MPI_Win_free(&window);
  }
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  refused(own, "a thread_local variable");
  refused((void*)constant, "a constant");
  refused((void*)&MPI_Barrier, "code of the process");
  refused(NULL, "a null pointer");
  stays();  // before all come to one node
  too_large();
  too_large_together();
  different_wishes();
  long_units();
  MPI_Barrier(MPI_COMM_WORLD);
  say("end: %d wrong", wrong);
  MPI_Finalize();
  return 0;
}
