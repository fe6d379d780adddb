// Handlers of errors that leave by longjmp: nothing of the call stays behind, neither memory nor that
// the program is in it.
#include <setjmp.h>
#include <stdio.h>
#include <unistd.h>

#include "judge.h"

static jmp_buf back;
static int left;
static void leave(int* code) {
  ++left;
  longjmp(back, *code);
}
static void leave_communicator(MPI_Comm* comm, int* code, ...) {
  (void)comm;
  leave(code);
}
static void leave_window(MPI_Win* window, int* code, ...) {
  (void)window;
  leave(code);
}
static void leave_file(MPI_File* file, int* code, ...) {
  (void)file;
  leave(code);
}

static MPI_Comm comm;
static MPI_Win window;
static MPI_File file;
static int word[4];

enum { kForms = 6 };
static void fail(int form) {
  switch (form) {
    case 0: MPI_Send(word, 1, MPI_INT, n, 0, comm); break;
    case 1: MPI_Put(word, 1, MPI_INT, n, 0, 1, MPI_INT, window); break;
    case 2: MPI_File_seek(file, -1, MPI_SEEK_SET); break;
    case 3: MPI_Comm_call_errhandler(comm, MPI_ERR_RANK); break;
    case 4: MPI_Win_call_errhandler(window, MPI_ERR_RANK); break;
    case 5: MPI_File_call_errhandler(file, MPI_ERR_RANK); break;
  }
}
static void jump(int form, int times) {
  for (volatile int i = 0; i < times; ++i) {
    if (setjmp(back) != 0) continue;
    fail(form);
    expect(0, "a handler that leaves returns", form);
  }
}

// Of the process.
static long resident_kb(void) {
  long all = 0, resident = 0;
  FILE* numbers = fopen("/proc/self/statm", "r");
  if (fscanf(numbers, "%ld %ld", &all, &resident) != 2) resident = -1;
  fclose(numbers);
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

// Virtual rank 0 goes there where it is in no call only.
static void read_input(void) {
  for (int i = 0; i < 3; ++i) {
    MPI_Barrier(MPI_COMM_WORLD);
    if (me != 0) continue;
    clearerr(stdin);
    (void)fgetc(stdin);
  }
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  enum { kTimes = 30000, kMostKb = 1024 };
  MPI_Errhandler handlers[3];
  MPI_Comm_dup(MPI_COMM_WORLD, &comm);
  MPI_Win_create(word, sizeof word, sizeof(int), MPI_INFO_NULL, comm, &window);
  MPI_File_open(MPI_COMM_SELF, argv[0], MPI_MODE_RDONLY, MPI_INFO_NULL, &file);
  MPI_Comm_create_errhandler(leave_communicator, &handlers[0]);
  MPI_Win_create_errhandler(leave_window, &handlers[1]);
  MPI_File_create_errhandler(leave_file, &handlers[2]);
  MPI_Comm_set_errhandler(comm, handlers[0]);
  MPI_Win_set_errhandler(window, handlers[1]);
  MPI_File_set_errhandler(file, handlers[2]);
  for (int form = 0; form < kForms; ++form) {
    jump(form, 100);
    const long before = resident_kb();
    jump(form, kTimes);
    const long grown = resident_kb() - before;
    expect(grown <= kMostKb, "memory that jumps leave behind (KiB)", form * 1000000 + grown);
  }
  expect(left == kForms * (kTimes + 100), "jumps", left);
  MPI_File_close(&file);
  MPI_Win_free(&window);
  MPI_Comm_free(&comm);
  read_input();
  say("end: %d wrong", wrong);
  MPI_Finalize();
  return 0;
}
