// Views whose file types begin again before their end, as columns of a matrix do; and a view from
// where the shared pointer is.
#include <string.h>
#include <unistd.h>

#include "check.h"

static char path[300];

static const char* file(const char* name) {
  const char* folder = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/roam_views_%s", folder == NULL ? "/tmp" : folder, name);
  return path;
}
static MPI_File open_file(MPI_Comm communicator, const char* name, int mode) {
  MPI_File f;
  if (MPI_File_open(communicator, file(name), mode, MPI_INFO_NULL, &f) != MPI_SUCCESS)
    MPI_Abort(MPI_COMM_WORLD, 2);
  return f;
}
#define FRESH (MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_DELETE_ON_CLOSE)

static int count_in(MPI_Status* status, MPI_Datatype type) {
  int count = -1;
  MPI_Get_count(status, type, &count);
  return count;
}
// Of all integers of the file, as it is without a view.
static long sum_of_file(MPI_File f) {
  MPI_Offset size;
  MPI_Status status;
  MPI_File_sync(f);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_File_set_view(f, 0, MPI_INT, MPI_INT, "native", MPI_INFO_NULL);
  MPI_File_get_size(f, &size);
  int* all = malloc((size_t)size);
  MPI_File_read_at(f, 0, all, (int)size / 4, MPI_INT, &status);
  const long sum = sum_of(all, (int)size / 4);
  free(all);
  MPI_Barrier(MPI_COMM_WORLD);
  return sum;
}

// Columns of a matrix, of which each has two; and pairs of places, each between two of others.
static void columns(void) {
  enum { kRows = 50 };
  static int out[2 * kRows], in[2 * kRows];
  MPI_File f = open_file(MPI_COMM_WORLD, "columns", FRESH);
  MPI_Datatype vector, column, pair, pairs;
  MPI_Status status;
  MPI_Offset at;
  for (int i = 0; i < 2 * kRows; ++i) out[i] = me * 10000 + i;
  MPI_Type_vector(kRows, 1, 2 * n, MPI_INT, &vector);
  MPI_Type_create_resized(vector, 0, sizeof(int), &column);
  MPI_Type_commit(&column);
  MPI_Type_free(&vector);
  for (int collective = 0; collective < 2; ++collective) {
    MPI_File_set_size(f, 0);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_File_set_view(f, 8 * me, MPI_INT, column, "native", MPI_INFO_NULL);
    MPI_File_get_byte_offset(f, kRows + 2, &at);
    say("second column, third row at %lld", (long long)at);
    if (collective) {
      MPI_File_write_at_all(f, 0, out, 2 * kRows, MPI_INT, &status);
    } else {
      MPI_File_write_at(f, 0, out, 2 * kRows, MPI_INT, &status);
    }
    MPI_File_sync(f);
    MPI_Barrier(MPI_COMM_WORLD);
    memset(in, 0, sizeof in);
    MPI_File_read_at(f, 0, in, 2 * kRows, MPI_INT, &status);
    say("columns: %d, equal %d", count_in(&status, MPI_INT), memcmp(in, out, sizeof in) == 0);
    say("columns: %ld", sum_of_file(f));
  }
  MPI_Type_free(&column);
  MPI_File_set_size(f, 0);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Type_vector(2, 1, 5 * n, MPI_INT, &pair);
  MPI_Type_create_resized(pair, 0, 4 * n, &pairs);
  MPI_Type_commit(&pairs);
  MPI_Type_free(&pair);
  MPI_File_set_view(f, 4 * me, MPI_INT, pairs, "native", MPI_INFO_NULL);
  MPI_File_write_at(f, 0, out, 10, MPI_INT, &status);
  MPI_File_sync(f);
  MPI_Barrier(MPI_COMM_WORLD);
  memset(in, 0, sizeof in);
  MPI_File_read_at(f, 0, in, 10, MPI_INT, &status);
  say("pairs: %d, %ld", count_in(&status, MPI_INT), sum_of(in, 10));
  say("pairs: %ld", sum_of_file(f));
  MPI_Type_free(&pairs);
  MPI_File_close(&f);
}

// Places that are seen twice: what is written later is there.
static void overlaps(void) {
  int x[16], y[16] = {0};
  char name[20];
  MPI_Datatype four, tile;
  MPI_Status status;
  snprintf(name, sizeof name, "overlaps%d", me);
  MPI_File f = open_file(MPI_COMM_SELF, name, MPI_MODE_CREATE | MPI_MODE_RDWR);
  for (int i = 0; i < 16; ++i) x[i] = me * 100 + i;
  MPI_Type_contiguous(4, MPI_INT, &four);
  MPI_Type_create_resized(four, 0, 8, &tile);
  MPI_Type_commit(&tile);
  MPI_Type_free(&four);
  MPI_File_set_view(f, 0, MPI_INT, tile, "native", MPI_INFO_NULL);
  MPI_File_write(f, x, 8, MPI_INT, &status);
  MPI_File_set_view(f, 0, MPI_INT, MPI_INT, "native", MPI_INFO_NULL);
  MPI_File_read_at(f, 0, y, 6, MPI_INT, &status);
  say("twice: %d %d %d %d %d %d", y[0], y[1], y[2], y[3], y[4], y[5]);
  MPI_File_write_at(f, 0, x, 16, MPI_INT, &status);
  MPI_File_close(&f);
  f = open_file(MPI_COMM_SELF, name, MPI_MODE_RDONLY | MPI_MODE_DELETE_ON_CLOSE);
  MPI_File_set_view(f, 4, MPI_INT, tile, "native", MPI_INFO_NULL);
  MPI_File_read_at(f, 2, y, 9, MPI_INT, &status);
  say("again %d: %d %d %d %d %d %d %d %d %d", count_in(&status, MPI_INT), y[0], y[1], y[2],
      y[3], y[4], y[5], y[6], y[7], y[8]);
  MPI_Type_free(&tile);
  MPI_File_close(&f);
}

static void empty(void) {
  MPI_File f = open_file(MPI_COMM_WORLD, "empty", FRESH);
  MPI_Datatype nothing;
  MPI_Offset at = -1;
  MPI_Type_contiguous(0, MPI_INT, &nothing);
  MPI_Type_commit(&nothing);
  MPI_File_set_view(f, 32, MPI_INT, nothing, "native", MPI_INFO_NULL);
  const int code = MPI_File_get_byte_offset(f, 0, &at);
  say("nothing is seen: %d at %lld", code == MPI_SUCCESS, (long long)at);
  MPI_Type_free(&nothing);
  MPI_File_close(&f);
}

// The view is from where all together have come to, however late some of them were.
static void from_the_pointer(void) {
  MPI_File f =
      open_file(MPI_COMM_WORLD, "pointer", MPI_MODE_CREATE | MPI_MODE_WRONLY | MPI_MODE_SEQUENTIAL);
  MPI_Datatype etype, filetype;
  MPI_Offset at = -1;
  MPI_Status status;
  int x[8], sum = 0;
  char name[MPI_MAX_DATAREP_STRING];
  for (int round = 0; round < 4; ++round) {
    // In each round another one is the last.
    usleep((unsigned)((me + round) % n) * 15000);
    for (int i = 0; i < 8; ++i) x[i] = round * 1000 + me;
    MPI_File_write_shared(f, x, me + round, MPI_INT, &status);
    MPI_File_set_view(f, MPI_DISPLACEMENT_CURRENT, MPI_INT, MPI_INT, "native", MPI_INFO_NULL);
    MPI_File_get_view(f, &at, &etype, &filetype, name);
    say("round %d: from %lld", round, (long long)at);
  }
  MPI_File_write_ordered(f, &me, 1, MPI_INT, &status);
  MPI_File_close(&f);
  MPI_Barrier(MPI_COMM_WORLD);
  if (me == 0) {
    FILE* all = fopen(file("pointer"), "rb");
    int count = 0, value;
    for (; all != NULL && fread(&value, sizeof value, 1, all) == 1; ++count) sum += value;
    fclose(all);
    say("%d integers, their sum is %d", count, sum);
    unlink(path);
  }
}

// Memory of others, which nobody has used on the rank where the kernel is to write there. It is of
// where its owner was made: in rooms of each size that the owner has left free in its own memory.
static void in_memory_of_others(void) {
  enum { kBytes = 4000, kKept = 8 };
  char *kept[kKept], *freed[kKept], *mine, *theirs;
  for (int i = 0; i < kKept; ++i) {
    kept[i] = malloc(kBytes + 64 * i);
    freed[i] = malloc(kBytes + 64 * i);
  }
  for (int i = 0; i < kKept; ++i) free(freed[i]);
  MPI_Info info;
  MPI_Win window;
  MPI_Status status;
  MPI_Aint bytes;
  int unit, bad = 0, right = (me + 1) % n, next = (me + 2) % n;
  MPI_Info_create(&info);
  MPI_Info_set(info, "alloc_shared_noncontig", "true");
  MPI_Win_allocate_shared(kBytes, 1, info, MPI_COMM_WORLD, &mine, &window);
  MPI_Info_free(&info);
  MPI_File f = open_file(MPI_COMM_WORLD, "others", FRESH);
  char* data = malloc(kBytes);
  for (int i = 0; i < kBytes; ++i) data[i] = (char)(i * 7 + me);
  MPI_File_write_at(f, (MPI_Offset)me * kBytes, data, kBytes, MPI_BYTE, &status);
  MPI_Win_lock_all(0, window);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Win_shared_query(window, right, &bytes, &unit, &theirs);
  const int read =
      MPI_File_read_at(f, (MPI_Offset)right * kBytes, theirs, kBytes, MPI_BYTE, &status);
  MPI_Win_sync(window);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Win_sync(window);
  MPI_Win_shared_query(window, next, &bytes, &unit, &theirs);
  const int written =
      MPI_File_write_at(f, (MPI_Offset)(n + next) * kBytes, theirs, kBytes, MPI_BYTE, &status);
  MPI_Barrier(MPI_COMM_WORLD);
  for (int i = 0; i < kBytes; ++i) bad += mine[i] != (char)(i * 7 + me);
  MPI_File_read_at(f, (MPI_Offset)(n + me) * kBytes, data, kBytes, MPI_BYTE, &status);
  for (int i = 0; i < kBytes; ++i) bad += data[i] != (char)(i * 7 + me);
  say("in memory of others: %d %d, %d wrong", read == MPI_SUCCESS, written == MPI_SUCCESS, bad);
  MPI_File_close(&f);
  MPI_Win_unlock_all(window);
  MPI_Win_free(&window);
  free(data);
  for (int i = 0; i < kKept; ++i) free(kept[i]);
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  columns();
  overlaps();
  empty();
  from_the_pointer();
  in_memory_of_others();
  MPI_Barrier(MPI_COMM_WORLD);
  say("views end");
  MPI_Finalize();
  return 0;
}
