// Memory of MPI's is aligned as the program asks for. The program itself judges what is right: MPICH
// 4.0 does not say of a window what it asked for, and ends by a division where it asks for 0.
#include <stdint.h>
#include <string.h>

#include "judge.h"

static const char kKey[] = "mpi_minimum_memory_alignment";

static MPI_Info info_of(const char* value) {
  MPI_Info info;
  MPI_Info_create(&info);
  MPI_Info_set(info, kKey, value);
  return info;
}
static void check_place(const void* at, long alignment, const char* what) {
  expect(at != NULL && (uintptr_t)at % (uintptr_t)alignment == 0, what, (long)(uintptr_t)at);
}
// What the window says; `value` is null: nothing.
static void check_word(MPI_Win window, const char* value) {
  char text[40] = "";
  int known;
  MPI_Info info;
  MPI_Win_get_info(window, &info);
  MPI_Info_get(info, kKey, sizeof text - 1, text, &known);
  MPI_Info_free(&info);
  expect(known == (value != NULL) && (value == NULL || strcmp(text, value) == 0), "the word", known);
}

static void blocks(const char* value, long alignment) {
  enum { kCount = 20 };
  MPI_Info info = info_of(value);
  char* all[kCount];
  int i, k;
  for (i = 0; i < kCount; ++i) {
    IS(MPI_SUCCESS, MPI_Alloc_mem(i * 37, info, &all[i]));
    check_place(all[i], alignment, "MPI_Alloc_mem");
    memset(all[i], me + i, (size_t)i * 37);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  for (i = 0; i < kCount; ++i) {
    for (k = 0; k < i * 37; ++k) expect(all[i][k] == (char)(me + i), "a byte", k);
    IS(MPI_SUCCESS, MPI_Free_mem(all[i]));
  }
  MPI_Info_free(&info);
}

static void windows(const char* value, long alignment, const char* word) {
  MPI_Info info = info_of(value);
  MPI_Win window;
  void* at;
  IS(MPI_SUCCESS, MPI_Win_allocate(100, 1, info, MPI_COMM_WORLD, &at, &window));
  check_place(at, alignment, "MPI_Win_allocate");
  check_word(window, word);
  MPI_Win_free(&window);
  IS(MPI_SUCCESS, MPI_Win_allocate(0, 1, info, MPI_COMM_WORLD, &at, &window));
  MPI_Win_free(&window);
  // One row of all: where it begins.
  IS(MPI_SUCCESS, MPI_Win_allocate_shared(100, 1, info, MPI_COMM_WORLD, &at, &window));
  if (me == 0) check_place(at, alignment, "MPI_Win_allocate_shared");
  check_word(window, word);
  MPI_Win_free(&window);
  MPI_Info_set(info, "alloc_shared_noncontig", "true");
  IS(MPI_SUCCESS, MPI_Win_allocate_shared(100, 1, info, MPI_COMM_WORLD, &at, &window));
  check_place(at, alignment, "MPI_Win_allocate_shared, of its own");
  MPI_Win_free(&window);
  // The program's own memory lies where it lies.
  IS(MPI_SUCCESS, MPI_Win_create(&at, sizeof at, 1, info, MPI_COMM_WORLD, &window));
  check_word(window, NULL);
  MPI_Win_free(&window);
  MPI_Info_free(&info);
}

int main(int argc, char** argv) {
  static const char* const bad[] = {"0", "3", "-8", "text", "64 or so", "99999999999999999999", " 64"};
  begin(&argc, &argv);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  blocks("64", 64);
  blocks("4096", 4096);
  windows("64", 64, "64");
  windows("4096", 4096, "4096");
  windows("1", 16, "1");
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
    blocks(bad[i], 16);
    windows(bad[i], 16, NULL);
  }
  say("end: %d wrong", wrong);
  MPI_Finalize();
  return 0;
}
