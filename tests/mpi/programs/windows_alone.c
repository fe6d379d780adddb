// What virtual ranks may give a window, and what not. The program itself judges what is right.
#include <string.h>
#include <sys/mman.h>

#include "check.h"

// By AMPI's names, which a process has not.
int AMPI_Migrate_to_pe(int rank) __attribute__((weak));
int AMPI_My_pe(int* rank) __attribute__((weak));

static int wrong;
static void expect(int right, const char* what, long seen) {
  if (right) return;
  ++wrong;
  say("wrong: %s (%ld)", what, seen);
}
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
  too_large();
  stays();
  MPI_Barrier(MPI_COMM_WORLD);
  say("end: %d wrong", wrong);
  MPI_Finalize();
  return 0;
}
