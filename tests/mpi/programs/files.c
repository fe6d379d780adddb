// Files (chapter 13 of the standard): what is written is read again through views, by all pointers.
#include <string.h>
#include <unistd.h>

#include "check.h"

static char path[300];

static const char* file(const char* name) {
  const char* folder = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/roam_files_%s", folder == NULL ? "/tmp" : folder, name);
  return path;
}
static MPI_File open_file(const char* name, int mode) {
  MPI_File f;
  if (MPI_File_open(MPI_COMM_WORLD, file(name), mode, MPI_INFO_NULL, &f) != MPI_SUCCESS)
    MPI_Abort(MPI_COMM_WORLD, 2);
  return f;
}
#define FRESH (MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_DELETE_ON_CLOSE)

static int class_of(int code) {
  int class = -1;
  MPI_Error_class(code, &class);
  return class;
}
static int count_in(MPI_Status* status, MPI_Datatype type) {
  int count = -1;
  MPI_Get_count(status, type, &count);
  return count;
}
// Of all bytes of the file, read with a view of bytes.
static long sum_of_file(MPI_File f) {
  MPI_Offset size;
  MPI_Status status;
  long sum = 0;
  MPI_File_sync(f);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_File_set_view(f, 0, MPI_BYTE, MPI_BYTE, "native", MPI_INFO_NULL);
  MPI_File_get_size(f, &size);
  unsigned char* all = malloc((size_t)size + 16);
  MPI_File_read_at(f, 0, all, (int)size + 16, MPI_BYTE, &status);
  if (count_in(&status, MPI_BYTE) != size) say("wrong: not all was read");
  for (MPI_Offset i = 0; i < size; ++i) sum = sum * 31 + all[i];
  free(all);
  MPI_Barrier(MPI_COMM_WORLD);
  return sum;
}

static void errors(void) {
  MPI_File f, g;
  MPI_Status status;
  int x = 7;
  const int missing = MPI_File_open(MPI_COMM_WORLD, file("none"), MPI_MODE_RDONLY, MPI_INFO_NULL, &f);
  say("no such file %d", class_of(missing) == MPI_ERR_NO_SUCH_FILE);
  const int mode = MPI_File_open(MPI_COMM_WORLD, file("none"), MPI_MODE_RDONLY | MPI_MODE_RDWR,
                                 MPI_INFO_NULL, &f);
  say("mode %d", class_of(mode) == MPI_ERR_AMODE);
  say("made for reading %d",
      class_of(MPI_File_open(MPI_COMM_WORLD, file("none"), MPI_MODE_RDONLY | MPI_MODE_CREATE,
                             MPI_INFO_NULL, &f)) == MPI_ERR_AMODE);
  say("removed %d", class_of(MPI_File_delete(file("none"), MPI_INFO_NULL)) == MPI_ERR_NO_SUCH_FILE);
  MPI_Barrier(MPI_COMM_WORLD);

  f = open_file("errors", MPI_MODE_CREATE | MPI_MODE_WRONLY | MPI_MODE_EXCL);
  say("exists %d", class_of(MPI_File_open(MPI_COMM_WORLD, file("errors"),
                                          MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_EXCL,
                                          MPI_INFO_NULL, &g)) == MPI_ERR_FILE_EXISTS);
  say("read of one for writing %d",
      class_of(MPI_File_read_at(f, 0, &x, 1, MPI_INT, &status)) == MPI_ERR_ACCESS);
  MPI_File_write_at(f, me * 4, &me, 1, MPI_INT, &status);
  say("written %d", count_in(&status, MPI_INT));
  say("negative %d", class_of(MPI_File_write_at(f, -1, &x, 1, MPI_INT, &status)) == MPI_ERR_ARG);
  say("representation %d", class_of(MPI_File_set_view(f, 0, MPI_INT, MPI_INT, "of nobody",
                                                      MPI_INFO_NULL)) == MPI_ERR_UNSUPPORTED_DATAREP);
  MPI_File_close(&f);
  say("closed %d", f == MPI_FILE_NULL);
  f = open_file("errors", MPI_MODE_RDONLY);
  say("write of one for reading %d",
      class_of(MPI_File_write_at(f, 0, &x, 1, MPI_INT, &status)) == MPI_ERR_READ_ONLY);
  MPI_File_read_at(f, ((me + 1) % n) * 4, &x, 1, MPI_INT, &status);
  say("read %d", x);
  say("size %d", class_of(MPI_File_set_size(f, 4)) == MPI_ERR_READ_ONLY);
  MPI_File_close(&f);
  if (me == 0) MPI_File_delete(file("errors"), MPI_INFO_NULL);
  MPI_Barrier(MPI_COMM_WORLD);
}

static int told;
static void on_error(MPI_File* f, int* code, ...) {
  told = told * 100 + class_of(*code) + (*f == MPI_FILE_NULL ? 50 : 0);
}
static void handlers(void) {
  MPI_Errhandler own, seen;
  MPI_Status status;
  MPI_File f;
  int x, now;
  MPI_File_get_errhandler(MPI_FILE_NULL, &seen);
  say("returns %d", seen == MPI_ERRORS_RETURN);
  MPI_File_create_errhandler(on_error, &own);
  f = open_file("handlers", MPI_MODE_CREATE | MPI_MODE_WRONLY | MPI_MODE_DELETE_ON_CLOSE);
  MPI_File_set_errhandler(f, own);
  MPI_File_get_errhandler(f, &seen);
  say("own %d", seen == own);
  MPI_File_read_at(f, 0, &x, 1, MPI_INT, &status);
  now = told;
  say("told %d", now == MPI_ERR_ACCESS);
  MPI_File_call_errhandler(f, MPI_ERR_IO);
  say("told %d", told == MPI_ERR_ACCESS * 100 + MPI_ERR_IO);
  MPI_File_close(&f);
  MPI_File_set_errhandler(MPI_FILE_NULL, own);
  told = 0;
  MPI_File_open(MPI_COMM_SELF, file("none"), MPI_MODE_RDONLY, MPI_INFO_NULL, &f);
  say("told %d", told == MPI_ERR_NO_SUCH_FILE + 50);
  MPI_File_set_errhandler(MPI_FILE_NULL, MPI_ERRORS_RETURN);
  MPI_Errhandler_free(&own);
}

static void places(void) {
  MPI_File f = open_file("places", FRESH);
  MPI_Status status;
  MPI_Offset at, size;
  MPI_Group group, world;
  MPI_Datatype etype, filetype, vector;
  MPI_Info info;
  int mode, same, x[10] = {0}, k;
  char name[MPI_MAX_DATAREP_STRING];
  MPI_File_get_amode(f, &mode);
  MPI_File_get_group(f, &group);
  MPI_Comm_group(MPI_COMM_WORLD, &world);
  MPI_Group_compare(group, world, &same);
  say("mode %d, group %d, number %d", mode == FRESH, same == MPI_IDENT,
      MPI_File_f2c(MPI_File_c2f(f)) == f);
  MPI_Group_free(&group);
  MPI_Group_free(&world);
  MPI_File_get_info(f, &info);
  MPI_Info_free(&info);

  for (k = 0; k < 10; ++k) x[k] = me * 10 + k;
  MPI_File_seek(f, me * 40, MPI_SEEK_SET);
  MPI_File_write(f, x, 10, MPI_INT, &status);
  MPI_File_get_position(f, &at);
  say("at %lld after %d", (long long)at, count_in(&status, MPI_INT));
  MPI_File_sync(f);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_File_get_size(f, &size);
  MPI_File_seek(f, -8, MPI_SEEK_END);
  MPI_File_read(f, x, 10, MPI_INT, &status);
  say("size %lld, at the end %d: %d %d", (long long)size, count_in(&status, MPI_INT), x[0], x[1]);
  MPI_File_read_at(f, size + 100, x, 10, MPI_INT, &status);
  say("behind the end %d", count_in(&status, MPI_INT));
  MPI_File_seek(f, 12, MPI_SEEK_SET);
  MPI_File_seek(f, -8, MPI_SEEK_CUR);
  MPI_File_get_position(f, &at);
  say("moved to %lld, and not before the begin %d", (long long)at,
      class_of(MPI_File_seek(f, -100, MPI_SEEK_CUR)) == MPI_ERR_ARG);

  MPI_Type_vector(10, 2, 5, MPI_INT, &vector);
  MPI_Type_commit(&vector);
  MPI_File_set_view(f, 8, MPI_INT, vector, "native", MPI_INFO_NULL);
  MPI_Type_free(&vector);
  MPI_File_get_view(f, &at, &etype, &filetype, name);
  MPI_File_get_byte_offset(f, 5, &size);
  say("view at %lld of %d %s, fifth at %lld", (long long)at, etype == MPI_INT, name,
      (long long)size);
  MPI_Type_free(&filetype);
  MPI_File_seek(f, 0, MPI_SEEK_END);
  MPI_File_get_position(f, &at);
  say("end of the view %lld", (long long)at);
  MPI_File_seek(f, 0, MPI_SEEK_SET);
  MPI_File_read(f, x, 7, MPI_INT, &status);
  MPI_File_get_position(f, &at);
  say("read %d to %lld: %ld", count_in(&status, MPI_INT), (long long)at, sum_of(x, 7));
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_File_set_size(f, 50);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_File_get_size(f, &size);
  say("cut to %lld", (long long)size);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_File_preallocate(f, 5000);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_File_get_size(f, &size);
  say("room for %lld, %ld", (long long)size, sum_of_file(f));
  MPI_File_close(&f);
  MPI_File_open(MPI_COMM_SELF, file("places"), MPI_MODE_RDONLY, MPI_INFO_NULL, &f);
  say("removed %d", f == MPI_FILE_NULL || access(path, F_OK) != 0);
  if (me == 0) {
    f = MPI_FILE_NULL;
    snprintf(name, sizeof name, "ufs:%s", file("append"));
    MPI_File_open(MPI_COMM_SELF, path, MPI_MODE_CREATE | MPI_MODE_WRONLY, MPI_INFO_NULL, &f);
    MPI_File_write(f, "abc", 3, MPI_CHAR, &status);
    MPI_File_close(&f);
    MPI_File_open(MPI_COMM_SELF, path, MPI_MODE_APPEND | MPI_MODE_RDWR, MPI_INFO_NULL, &f);
    MPI_File_write(f, "def", 3, MPI_CHAR, &status);
    MPI_File_read_at(f, 0, name, 10, MPI_CHAR, &status);
    say("appended %.6s of %d", name, count_in(&status, MPI_CHAR));
    MPI_File_close(&f);
    MPI_File_delete(path, MPI_INFO_NULL);
  }
}

// Each writes what its type shows, and reads it again.
static void view_of(MPI_File f, const char* what, MPI_Datatype etype, MPI_Datatype filetype,
                    int count, MPI_Datatype memory, int collective) {
  MPI_Aint lb, extent;
  MPI_Status status;
  MPI_Type_get_extent(memory, &lb, &extent);
  const size_t room = (size_t)(extent * count) + 64;
  unsigned char *out = malloc(room), *in = calloc(room, 1), *packed = malloc(room),
                *again = malloc(room);
  for (size_t i = 0; i < room; ++i) out[i] = (unsigned char)((i * 7 + (size_t)me * 53) % 251);
  MPI_File_set_view(f, 16, etype, filetype, "native", MPI_INFO_NULL);
  if (collective) {
    MPI_File_write_all(f, out, count, memory, &status);
  } else {
    MPI_File_write(f, out, count, memory, &status);
  }
  const int written = count_in(&status, memory);
  MPI_File_sync(f);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_File_read_at_all(f, 0, in, count, memory, &status);
  int a = 0, b = 0;
  MPI_Pack(out, count, memory, packed, (int)room, &a, MPI_COMM_SELF);
  MPI_Pack(in, count, memory, again, (int)room, &b, MPI_COMM_SELF);
  say("%s %d: written %d, read %d, equal %d", what, collective, written,
      count_in(&status, memory), a == b && memcmp(packed, again, (size_t)a) == 0);
  say("%s %d: %ld", what, collective, sum_of_file(f));
  free(out);
  free(in);
  free(packed);
  free(again);
}

static void views(int collective) {
  MPI_File f = open_file("views", FRESH);
  MPI_Datatype t, u, m, line;
  int i;
  // Columns of a matrix, those of each rank.
  int sizes[2] = {12, 4 * n}, parts[2] = {12, 4}, starts[2] = {0, 4 * me};
  MPI_Type_create_subarray(2, sizes, parts, starts, MPI_ORDER_C, MPI_INT, &t);
  MPI_Type_commit(&t);
  view_of(f, "subarray", MPI_INT, t, 48, MPI_INT, collective);
  MPI_Type_vector(16, 3, 5, MPI_INT, &m);
  MPI_Type_commit(&m);
  view_of(f, "subarray, vector", MPI_INT, t, 2, m, collective);
  MPI_Type_free(&t);
  // Single elements, in turn.
  int zero[1] = {1};
  MPI_Aint at[1] = {8 * me};
  MPI_Type_create_hindexed(1, zero, at, MPI_DOUBLE, &t);
  MPI_Type_create_resized(t, 0, 8 * n, &line);
  MPI_Type_commit(&line);
  view_of(f, "in turn", MPI_DOUBLE, line, 500, MPI_DOUBLE, collective);
  view_of(f, "in turn, vector", MPI_INT, line, 2, m, collective);
  MPI_Type_free(&m);
  MPI_Type_free(&t);
  MPI_Type_free(&line);
  // Blocks of growing length.
  int lengths[4], places[4], next = me;
  for (i = 0; i < 4; ++i) {
    lengths[i] = i + 1;
    places[i] = next * 5;
    next += n;
  }
  MPI_Type_indexed(4, lengths, places, MPI_SHORT, &t);
  MPI_Type_create_resized(t, 0, 2 * 5 * 4 * n, &u);
  MPI_Type_commit(&u);
  view_of(f, "indexed", MPI_SHORT, u, 55, MPI_SHORT, collective);
  MPI_Type_free(&t);
  MPI_Type_free(&u);
  // Records of several types, at their places in a block of each rank.
  int ones[3] = {3, 1, 2};
  MPI_Aint where[3] = {0, 16, 24};
  MPI_Datatype kinds[3] = {MPI_CHAR, MPI_DOUBLE, MPI_INT};
  MPI_Type_create_struct(3, ones, where, kinds, &m);
  MPI_Type_commit(&m);
  MPI_Type_create_resized(m, 0, 32, &t);
  MPI_Type_commit(&t);
  view_of(f, "records", MPI_BYTE, MPI_BYTE, 0, t, collective);
  lengths[0] = 1;
  at[0] = 32 * me;
  MPI_Type_create_hindexed(1, lengths, at, t, &u);
  MPI_Type_create_resized(u, 0, 32 * n, &line);
  MPI_Type_commit(&line);
  view_of(f, "records in turn", t, line, 20, t, collective);
  MPI_Type_free(&m);
  MPI_Type_free(&t);
  MPI_Type_free(&u);
  MPI_Type_free(&line);
  // Spread over a grid of ranks.
  int whole[2] = {10, 9}, how[2] = {MPI_DISTRIBUTE_CYCLIC, MPI_DISTRIBUTE_BLOCK},
      args[2] = {2, MPI_DISTRIBUTE_DFLT_DARG}, grid[2] = {n % 2 == 0 ? 2 : 1, n % 2 == 0 ? n / 2 : n},
      bytes;
  MPI_Type_create_darray(n, me, 2, whole, how, args, grid, MPI_ORDER_FORTRAN, MPI_INT, &t);
  MPI_Type_commit(&t);
  MPI_Type_size(t, &bytes);
  view_of(f, "darray", MPI_INT, t, bytes / 4, MPI_INT, collective);
  MPI_Type_free(&t);
  MPI_File_close(&f);
}

// Many small pieces of all ranks side by side, and longer ones between: what one writes is not
// undone by what another does at the same time.
static void neighbours(void) {
  enum { kPieces = 3000 };
  MPI_File f = open_file("neighbours", FRESH);
  MPI_Datatype t, u;
  MPI_Status status;
  static long out[kPieces], in[kPieces];
  int round, i, wrong = 0, one = 1;
  MPI_Aint at = 8 * me;
  MPI_Type_create_hindexed(1, &one, &at, MPI_LONG, &t);
  MPI_Type_create_resized(t, 0, 8 * n, &u);
  MPI_Type_commit(&u);
  MPI_File_set_view(f, 0, MPI_LONG, u, "native", MPI_INFO_NULL);
  for (round = 0; round < 5; ++round) {
    for (i = 0; i < kPieces; ++i) out[i] = me * 1000000L + round * 10000 + i;
    for (i = 0; i < kPieces; i += 500) MPI_File_write(f, out + i, 500, MPI_LONG, &status);
    MPI_File_read_at(f, (MPI_Offset)round * kPieces, in, kPieces, MPI_LONG, &status);
    if (count_in(&status, MPI_LONG) != kPieces || memcmp(out, in, sizeof in) != 0) ++wrong;
  }
  MPI_Barrier(MPI_COMM_WORLD);
  for (round = 0; round < 5; ++round) {
    MPI_File_read_at(f, (MPI_Offset)round * kPieces, in, kPieces, MPI_LONG, &status);
    for (i = 0; i < kPieces; ++i) {
      if (in[i] != me * 1000000L + round * 10000 + i) ++wrong;
    }
  }
  say("neighbours: %d wrong, %ld", wrong, sum_of_file(f));
  MPI_Type_free(&t);
  MPI_Type_free(&u);
  MPI_File_close(&f);
}

static void shared(void) {
  MPI_File f = open_file("shared", FRESH);
  MPI_Status status;
  MPI_Offset at;
  int i, k, x[8], seen[64] = {0}, wrong = 0, all = 0;
  MPI_File_set_view(f, 0, MPI_INT, MPI_INT, "native", MPI_INFO_NULL);
  for (i = 0; i < 10; ++i) {
    x[0] = me;
    x[1] = i;
    MPI_File_write_shared(f, x, 2, MPI_INT, &status);
  }
  MPI_File_sync(f);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_File_get_position_shared(f, &at);
  say("shared at %lld", (long long)at);
  for (i = 0; i < 10 * n; ++i) {
    MPI_File_read_at(f, 2 * i, x, 2, MPI_INT, &status);
    if (x[0] < 0 || x[0] >= n || seen[x[0]]++ != x[1]) ++wrong;
  }
  say("each in its order: %d wrong", wrong);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_File_seek_shared(f, 0, MPI_SEEK_SET);
  for (i = k = 0; i < 10; ++i) {
    MPI_File_read_shared(f, x, 2, MPI_INT, &status);
    k += x[0] * 100 + x[1] + count_in(&status, MPI_INT);
  }
  MPI_Reduce(&k, &all, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
  say("all of them: %d", all);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_File_seek_shared(f, -2, MPI_SEEK_END);
  MPI_File_get_position_shared(f, &at);
  say("two before the end: %lld", (long long)at);
  MPI_Barrier(MPI_COMM_WORLD);

  // As many as each rank's number, in their order.
  MPI_File_seek_shared(f, 4, MPI_SEEK_SET);
  for (i = 0; i < 8; ++i) x[i] = me * 10 + i;
  MPI_File_write_ordered(f, x, me % 4 + 1, MPI_INT, &status);
  say("in order %d", count_in(&status, MPI_INT));
  MPI_File_get_position_shared(f, &at);
  say("now at %lld", (long long)at);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_File_seek_shared(f, 4, MPI_SEEK_SET);
  memset(x, 0, sizeof x);
  MPI_File_read_ordered_begin(f, x, me % 4 + 1, MPI_INT);
  MPI_File_read_ordered_end(f, x, &status);
  say("read in order %d %ld", count_in(&status, MPI_INT), sum_of(x, me % 4 + 1));
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_File_write_ordered_begin(f, x, 1, MPI_INT);
  MPI_File_write_ordered_end(f, x, &status);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_File_get_position_shared(f, &at);
  say("and at %lld", (long long)at);
  MPI_File_set_size(f, 4 * 14 * n);
  MPI_File_close(&f);
  // A view sets it to the begin.
  f = open_file("shared", FRESH);
  MPI_File_write_shared(f, "abcd", 4, MPI_CHAR, &status);
  MPI_File_set_view(f, 2, MPI_CHAR, MPI_CHAR, "native", MPI_INFO_NULL);
  MPI_File_get_position_shared(f, &at);
  say("set back to %lld", (long long)at);
  MPI_File_close(&f);
}

static void not_waiting(void) {
  MPI_File f = open_file("not_waiting", FRESH);
  MPI_Request requests[3];
  MPI_Status statuses[3], status;
  int x[6], y[6] = {0}, i, done = 0;
  for (i = 0; i < 6; ++i) x[i] = me * 7 + i;
  MPI_File_set_view(f, 24 * me, MPI_INT, MPI_INT, "native", MPI_INFO_NULL);
  MPI_File_iwrite(f, x, 2, MPI_INT, &requests[0]);
  MPI_File_iwrite_at(f, 2, x + 2, 2, MPI_INT, &requests[1]);
  MPI_File_iwrite_at_all(f, 4, x + 4, 2, MPI_INT, &requests[2]);
  MPI_Waitall(3, requests, statuses);
  say("written %d %d %d", count_in(&statuses[0], MPI_INT), count_in(&statuses[1], MPI_INT),
      requests[2] == MPI_REQUEST_NULL);
  MPI_File_iread_at(f, 3, y, 3, MPI_INT, &requests[0]);
  while (!done) MPI_Test(&requests[0], &done, &status);
  say("read %d: %ld", count_in(&status, MPI_INT), sum_of(y, 3));
  MPI_File_seek(f, 0, MPI_SEEK_SET);
  MPI_File_iread_all(f, y, 6, MPI_INT, &requests[0]);
  MPI_Wait(&requests[0], &status);
  say("all read: %ld", sum_of(y, 6));
  MPI_File_seek(f, 1, MPI_SEEK_SET);
  MPI_File_iread(f, y, 2, MPI_INT, &requests[0]);
  MPI_Wait(&requests[0], &status);
  say("from the pointer: %ld", sum_of(y, 2));
  MPI_Barrier(MPI_COMM_WORLD);

  MPI_File_seek(f, 0, MPI_SEEK_SET);
  MPI_File_write_all_begin(f, x, 3, MPI_INT);
  MPI_File_write_all_end(f, x, &status);
  MPI_File_write_at_all_begin(f, 3, x, 3, MPI_INT);
  MPI_File_write_at_all_end(f, x, &status);
  say("in two parts %d", count_in(&status, MPI_INT));
  MPI_File_read_at_all_begin(f, 0, y, 6, MPI_INT);
  MPI_File_read_at_all_end(f, y, &status);
  say("read in two parts %d: %ld", count_in(&status, MPI_INT), sum_of(y, 6));
  MPI_File_seek(f, 3, MPI_SEEK_SET);
  MPI_File_read_all_begin(f, y, 2, MPI_INT);
  MPI_File_read_all_end(f, y, &status);
  say("and by the pointer %d: %ld", count_in(&status, MPI_INT), sum_of(y, 2));
  say("%ld", sum_of_file(f));
  MPI_File_close(&f);
}

// All write the same places at once: afterwards they are all of one rank.
static void atomic(void) {
  MPI_File f = open_file("atomic", FRESH);
  MPI_Status status;
  MPI_Datatype t;
  int round, i, on, wrong = 0;
  static int x[2000], y[2000];
  MPI_Type_vector(500, 4, 7, MPI_INT, &t);
  MPI_Type_commit(&t);
  MPI_File_set_view(f, 4, MPI_INT, t, "native", MPI_INFO_NULL);
  MPI_File_set_atomicity(f, 1);
  MPI_File_get_atomicity(f, &on);
  for (round = 0; round < 10; ++round) {
    for (i = 0; i < 2000; ++i) x[i] = round * 100 + me;
    MPI_File_write_at(f, 0, x, 2000, MPI_INT, &status);
    MPI_File_read_at(f, 0, y, 2000, MPI_INT, &status);
    for (i = 1; i < 2000; ++i) {
      if (y[i] != y[0]) {
        ++wrong;
        break;
      }
    }
  }
  say("atomic %d: %d wrong", on, wrong);
  MPI_File_set_atomicity(f, 0);
  MPI_Type_free(&t);
  MPI_File_close(&f);
}

static void portable(void) {
  MPI_File f = open_file("portable", FRESH);
  MPI_Status status;
  MPI_Aint extent;
  double x[4], y[4] = {0};
  unsigned char bytes[8];
  int i;
  for (i = 0; i < 4; ++i) x[i] = me + i * 0.25;
  MPI_File_set_view(f, 32 * me, MPI_DOUBLE, MPI_DOUBLE, "external32", MPI_INFO_NULL);
  MPI_File_get_type_extent(f, MPI_DOUBLE, &extent);
  MPI_File_write(f, x, 4, MPI_DOUBLE, &status);
  say("portable %d of %d", count_in(&status, MPI_DOUBLE), (int)extent);
  MPI_File_read_at(f, 1, y, 2, MPI_DOUBLE, &status);
  say("read again %d: %g %g", count_in(&status, MPI_DOUBLE), y[0], y[1]);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_File_set_view(f, 0, MPI_BYTE, MPI_BYTE, "internal", MPI_INFO_NULL);
  MPI_File_read_at(f, 32 * me + 8, bytes, 8, MPI_BYTE, &status);
  for (i = 0; i < 8; ++i) y[3] = y[3] * 3 + bytes[i];
  say("bytes %g, %ld", y[3], sum_of_file(f));
  MPI_File_close(&f);
}

// A file may lose its name while it is open, and another get it.
static void without_name(void) {
  MPI_File f = open_file("nameless", MPI_MODE_CREATE | MPI_MODE_RDWR), g;
  MPI_Status status;
  int x = me + 5, y = 0;
  MPI_File_write_at(f, 4 * me, &x, 1, MPI_INT, &status);
  MPI_Barrier(MPI_COMM_WORLD);
  if (me == 0) unlink(file("nameless"));
  MPI_Barrier(MPI_COMM_WORLD);
  g = open_file("nameless", MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_DELETE_ON_CLOSE);
  x = me + 50;
  MPI_File_write_at(g, 4 * me, &x, 1, MPI_INT, &status);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_File_read_at(f, 4 * ((me + 1) % n), &x, 1, MPI_INT, &status);
  MPI_File_read_at(g, 4 * ((me + 1) % n), &y, 1, MPI_INT, &status);
  say("without a name %d, and the one that has it %d", x, y);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_File_close(&g);
  MPI_File_read_at(f, 4 * me, &x, 1, MPI_INT, &status);
  say("still %d", x);
  MPI_File_close(&f);
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  errors();
  handlers();
  places();
  views(0);
  views(1);
  neighbours();
  shared();
  not_waiting();
  atomic();
  portable();
  without_name();
  MPI_Barrier(MPI_COMM_WORLD);
  say("files end");
  MPI_Finalize();
  return 0;
}
