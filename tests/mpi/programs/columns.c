// Views whose file types begin again before their end, beside a model of them: MPICH finds other
// places where a call begins in the middle of one. Each says how much was wrong.
#include <string.h>

#include "judge.h"

static char path[300];

static MPI_File open_file(MPI_Comm communicator, const char* name) {
  const char* folder = getenv("TMPDIR");
  MPI_File f;
  snprintf(path, sizeof path, "%s/roam_columns_%s%d", folder == NULL ? "/tmp" : folder, name,
           communicator == MPI_COMM_SELF ? me : n);
  if (MPI_File_open(communicator, path,
                    MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_DELETE_ON_CLOSE, MPI_INFO_NULL,
                    &f) != MPI_SUCCESS)
    MPI_Abort(MPI_COMM_WORLD, 2);
  return f;
}
static unsigned drawn = 1;
static int draw(int below) {
  drawn = drawn * 1103515245u + 12345u;
  return (int)(drawn >> 8) % below;
}
static int count_in(const MPI_Status* status, MPI_Datatype type) {
  int count = -1;
  MPI_Get_count(status, type, &count);
  return count;
}

// Of integers: where those of a file type are, how far the next one begins, where the first does.
struct View {
  int count, places[12], extent, begin;
};
static long place(const struct View* v, long offset) {
  return v->begin + offset / v->count * v->extent + v->places[offset % v->count];
}
static void look_by(MPI_File f, const struct View* v, const char* representation) {
  int ones[12];
  MPI_Datatype parts, tile;
  for (int i = 0; i < v->count; ++i) ones[i] = 1;
  MPI_Type_indexed(v->count, ones, v->places, MPI_INT, &parts);
  MPI_Type_create_resized(parts, 0, 4 * v->extent, &tile);
  MPI_Type_commit(&tile);
  expect(MPI_File_set_view(f, 4 * v->begin, MPI_INT, tile, representation, MPI_INFO_NULL) ==
             MPI_SUCCESS,
         "a view", v->extent);
  MPI_Type_free(&parts);
  MPI_Type_free(&tile);
}
static const struct View kViews[] = {
    {4, {0, 4, 8, 12}, 1, 0},        // columns
    {4, {0, 4, 8, 12}, 2, 3},        // every second one
    {4, {0, 4, 8, 12}, 16, 1},       // one column
    {6, {0, 1, 2, 3, 4, 5}, 4, 2},   // what is seen twice
    {5, {1, 2, 7, 8, 1500}, 5, 0},   // far apart
    {3, {0, 10, 20}, 21, 0},         // just fits
    {12, {0, 3, 4, 9, 11, 14, 15, 16, 20, 21, 30, 31}, 7, 5},
};
enum { kSeen = sizeof kViews / sizeof kViews[0], kMost = 3000, kAtOnce = 120 };

// Writes and reads from wherever, of wherever in memory.
static void anywhere(const struct View* v, int atomic, const char* representation) {
  static int model[kMost], memory[2 * kAtOnce];
  MPI_File f = open_file(MPI_COMM_SELF, "anywhere");
  MPI_Datatype apart;
  MPI_Status status;
  MPI_Type_create_resized(MPI_INT, 0, 8, &apart);
  MPI_Type_commit(&apart);
  for (int i = 0; i < kMost; ++i) model[i] = 0;
  MPI_File_set_size(f, 0);
  MPI_File_set_size(f, 4 * kMost);
  look_by(f, v, representation);
  MPI_File_set_atomicity(f, atomic);
  for (int round = 0; round < 60; ++round) {
    const int offset = draw(100), count = 1 + draw(kAtOnce - 1), step = 1 + draw(2);
    const MPI_Datatype type = step == 1 ? MPI_INT : apart;
    if (place(v, offset + count + v->count) >= kMost - 1600) continue;
    if (round % 2 == 0) {
      for (int i = 0; i < count * step; ++i) memory[i] = round * 1000 + i;
      MPI_File_write_at(f, offset, memory, count, type, &status);
      for (int i = 0; i < count; ++i) model[place(v, offset + i)] = memory[i * step];
    } else {
      for (int i = 0; i < count * step; ++i) memory[i] = -1;
      MPI_File_read_at(f, offset, memory, count, type, &status);
      int bad = 0;
      for (int i = 0; i < count * step; ++i)
        bad += memory[i] != (i % step == 0 ? model[place(v, offset + i / step)] : -1);
      expect(bad == 0, "what was read", bad);
    }
    expect(count_in(&status, type) == count, "how many", count_in(&status, type));
  }
  if (strcmp(representation, "native") == 0) {
    static int all[kMost];
    MPI_File_set_view(f, 0, MPI_INT, MPI_INT, "native", MPI_INFO_NULL);
    MPI_File_read_at(f, 0, all, kMost, MPI_INT, &status);
    expect(memcmp(all, model, sizeof all) == 0, "the whole file", v->extent);
  }
  MPI_Type_free(&apart);
  MPI_File_close(&f);
}

// What is there is brought, and what is counted is all there.
static void short_file(const struct View* v, int step, const char* representation) {
  enum { kAsked = 40 };
  MPI_File f = open_file(MPI_COMM_SELF, "short");
  MPI_Datatype type;
  MPI_Status status;
  const int external = strcmp(representation, "native") != 0;
  MPI_Type_create_resized(MPI_INT, 0, 4 * step, &type);
  MPI_Type_commit(&type);
  MPI_File_set_view(f, 0, MPI_INT, MPI_INT, representation, MPI_INFO_NULL);
  for (int i = 0; i < kMost; ++i) MPI_File_write(f, &i, 1, MPI_INT, &status);
  for (int size = 60; size >= 0; size -= 1 + draw(4)) {
    static int memory[2 * kAsked];
    int counted = 0, bad = 0;
    MPI_File_set_size(f, 4 * size);
    look_by(f, v, representation);
    for (int i = 0; i < 2 * kAsked; ++i) memory[i] = -1;
    MPI_File_read_at(f, 3, memory, kAsked, type, &status);
    while (counted < kAsked && place(v, 3 + counted) < size) ++counted;
    expect(count_in(&status, type) == counted, "how many before the end", count_in(&status, type));
    for (int i = 0; i < kAsked * step; ++i) {
      const long at = place(v, 3 + i / step);
      const int there = i % step == 0 && at < size && (!external || i / step < counted);
      if (there) bad += memory[i] != at;
      // Of numbers that are not counted MPI says nothing.
      if (!there && !external) bad += memory[i] != -1;
    }
    expect(bad == 0, "what is before the end", bad);
  }
  MPI_Type_free(&type);
  MPI_File_close(&f);
}

// The end is the first integer that begins behind the last byte, for each length of the file.
static void ends(const struct View* v) {
  MPI_File f = open_file(MPI_COMM_SELF, "ends");
  look_by(f, v, "native");
  for (int bytes = 0; bytes < 2 * 64 * 4; bytes += bytes < 60 ? 1 : 7) {
    MPI_Offset seen = -1, first = 0;
    MPI_File_set_size(f, bytes);
    MPI_File_seek(f, 0, MPI_SEEK_END);
    MPI_File_get_position(f, &seen);
    while (4 * place(v, first) < bytes) ++first;
    expect(seen == first, "the end of a view", (long)seen);
  }
  MPI_File_close(&f);
}

// All write at once, each its own columns, and read those of all.
static void beside_others(int atomic) {
  enum { kRows = 60 };
  static int out[3 * kRows], in[3 * kRows];
  MPI_File f = open_file(MPI_COMM_WORLD, "beside");
  MPI_Datatype vector, column;
  MPI_Status status;
  int bad = 0;
  MPI_Type_vector(kRows, 1, 3 * n, MPI_INT, &vector);
  MPI_Type_create_resized(vector, 0, 4, &column);
  MPI_Type_commit(&column);
  for (int i = 0; i < 3 * kRows; ++i) out[i] = me * 1000 + i;
  MPI_File_set_view(f, 12 * me, MPI_INT, column, "native", MPI_INFO_NULL);
  MPI_File_set_atomicity(f, atomic);
  for (int i = 0; i < 3 * kRows; i += 25)
    MPI_File_write(f, out + i, i + 25 < 3 * kRows ? 25 : 3 * kRows - i, MPI_INT, &status);
  MPI_File_sync(f);
  MPI_Barrier(MPI_COMM_WORLD);
  for (int r = 0; r < n; ++r) {
    MPI_File_set_view(f, 12 * r, MPI_INT, column, "native", MPI_INFO_NULL);
    MPI_File_read_at(f, 0, in, 3 * kRows, MPI_INT, &status);
    for (int i = 0; i < 3 * kRows; ++i) bad += in[i] != r * 1000 + i;
  }
  expect(bad == 0, "columns of all", bad);
  MPI_Type_free(&vector);
  MPI_Type_free(&column);
  MPI_File_close(&f);
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  drawn += (unsigned)me;
  for (int i = 0; i < kSeen; ++i) {
    const struct View* v = &kViews[i];
    anywhere(v, 0, "native");
    anywhere(v, 1, "native");
    anywhere(v, 0, "external32");
    for (int step = 1; step <= 2; ++step) {
      short_file(v, step, "native");
      short_file(v, step, "external32");
    }
    ends(v);
  }
  beside_others(0);
  beside_others(1);
  MPI_Barrier(MPI_COMM_WORLD);
  say("end: %d wrong", wrong);
  MPI_Finalize();
  return 0;
}
