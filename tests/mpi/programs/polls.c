// A rank that asks a file again and again until another one has written: neither waits in MPI, so
// where both are virtual ranks of one process, the asking itself lets the other one run.
#include <string.h>
#include <unistd.h>

#include "check.h"

static char path[300];
enum { kRounds = 3 };

static const char* file(const char* name) {
  const char* folder = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/roam_polls_%s", folder == NULL ? "/tmp" : folder, name);
  return path;
}
static MPI_File open_file(MPI_Comm communicator, const char* name) {
  MPI_File f;
  if (MPI_File_open(communicator, file(name),
                    MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_DELETE_ON_CLOSE, MPI_INFO_NULL,
                    &f) != MPI_SUCCESS)
    MPI_Abort(MPI_COMM_WORLD, 2);
  return f;
}

// What is asked for: whether the file says that `turn` turns have been taken; and how one is taken.
typedef int (*Asks)(MPI_File f, int turn);
typedef void (*Takes)(MPI_File f, int turn);

// Turns go up from rank to rank and down again, so whoever is the first to run, somebody waits for
// one that has not run.
static void take_turns(const char* what, MPI_File f, Asks ask, Takes take) {
  int taken = 0, late = 0;
  MPI_Barrier(MPI_COMM_WORLD);
  for (int round = 0; round < kRounds; ++round) {
    for (int down = 0; down < 2; ++down) {
      const int turn = (2 * round + down) * n + (down ? n - 1 - me : me);
      const double begun = MPI_Wtime();
      while (!late && !ask(f, turn)) late = MPI_Wtime() - begun > 20;
      take(f, turn);
      ++taken;
    }
  }
  MPI_Barrier(MPI_COMM_WORLD);
  say("%s: %d turns%s", what, taken, late ? ", and nobody was let in" : "");
}

static void set(MPI_File f, int turn) {
  MPI_Status status;
  const int is = turn + 1;
  MPI_File_write_at(f, 4 * turn, &is, 4, MPI_BYTE, &status);
}
static int is_set(MPI_File f, int turn) {
  MPI_Status status;
  int is = 0;
  if (turn == 0) return 1;
  MPI_File_read_at(f, 4 * (turn - 1), &is, 4, MPI_BYTE, &status);
  return is == turn;
}
static int is_set_as_told_later(MPI_File f, int turn) {
  MPI_Request request;
  int is = 0;
  if (turn == 0) return 1;
  MPI_File_iread_at(f, 4 * (turn - 1), &is, 4, MPI_BYTE, &request);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  return is == turn;
}
static void set_and_sync(MPI_File f, int turn) {
  set(f, turn);
  MPI_File_sync(f);
}
static int is_set_after_sync(MPI_File f, int turn) {
  MPI_File_sync(f);
  return is_set(f, turn);
}
static int is_long(MPI_File f, int turn) {
  MPI_Offset size;
  MPI_File_get_size(f, &size);
  return size == 4 * turn;
}
static int ends_there(MPI_File f, int turn) {
  MPI_Offset at;
  MPI_File_seek(f, 0, MPI_SEEK_END);
  MPI_File_get_position(f, &at);
  return at == 4 * turn;
}
static int is_shared_pointer(MPI_File f, int turn) {
  MPI_Offset at;
  MPI_File_get_position_shared(f, &at);
  return at == 4 * turn;
}
static void move_shared_pointer(MPI_File f, int turn) {
  MPI_Status status;
  MPI_File_write_shared(f, &turn, 4, MPI_BYTE, &status);
}

static void shared_files(void) {
  MPI_File f = open_file(MPI_COMM_WORLD, "atomic");
  MPI_File_set_atomicity(f, 1);
  take_turns("atomic mode", f, is_set, set);
  MPI_File_close(&f);
  f = open_file(MPI_COMM_WORLD, "later");
  MPI_File_set_atomicity(f, 1);
  take_turns("reads that do not wait", f, is_set_as_told_later, set);
  MPI_File_close(&f);
  f = open_file(MPI_COMM_WORLD, "sync");
  take_turns("sync", f, is_set_after_sync, set_and_sync);
  MPI_File_close(&f);
  f = open_file(MPI_COMM_WORLD, "size");
  take_turns("size", f, is_long, set_and_sync);
  MPI_File_close(&f);
  f = open_file(MPI_COMM_WORLD, "end");
  take_turns("end", f, ends_there, set_and_sync);
  MPI_File_close(&f);
  f = open_file(MPI_COMM_WORLD, "pointer");
  take_turns("shared pointer", f, is_shared_pointer, move_shared_pointer);
  MPI_File_close(&f);
}

// Files that are there, or are not.
static int is_there(MPI_File f, int turn) {
  MPI_File it;
  char name[20];
  if (turn == 0) return 1;
  snprintf(name, sizeof name, "turn%d", turn - 1);
  if (MPI_File_open(MPI_COMM_SELF, file(name), MPI_MODE_RDONLY, MPI_INFO_NULL, &it) != MPI_SUCCESS)
    return 0;
  MPI_File_close(&it);
  (void)f;
  return 1;
}
static void make(MPI_File f, int turn) {
  MPI_File it;
  char name[20];
  snprintf(name, sizeof name, "turn%d", turn);
  MPI_File_open(MPI_COMM_SELF, file(name), MPI_MODE_CREATE | MPI_MODE_WRONLY, MPI_INFO_NULL, &it);
  MPI_File_close(&it);
  (void)f;
}
// Each takes away what the one before has made, and makes its own.
static int is_taken_away(MPI_File f, int turn) {
  char name[20];
  if (turn == 0) return 1;
  snprintf(name, sizeof name, "turn%d", turn - 1);
  (void)f;
  return MPI_File_delete(file(name), MPI_INFO_NULL) == MPI_SUCCESS;
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  shared_files();
  take_turns("files that are opened", MPI_FILE_NULL, is_there, make);
  for (int turn = me; turn < 2 * kRounds * n; turn += n) {
    char name[20];
    snprintf(name, sizeof name, "turn%d", turn);
    MPI_File_delete(file(name), MPI_INFO_NULL);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  take_turns("files that are removed", MPI_FILE_NULL, is_taken_away, make);
  if (me == 0) {
    char name[20];
    snprintf(name, sizeof name, "turn%d", 2 * kRounds * n - 1);
    MPI_File_delete(file(name), MPI_INFO_NULL);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  say("polls end");
  MPI_Finalize();
  return 0;
}
