// Derived datatypes in messages and collectives, what is known of them, packing.
#include <stddef.h>
#include <string.h>

#include "check.h"

typedef struct {
  char tag;
  double place[3];
  int id;
} Particle;

static MPI_Datatype particle(void) {
  MPI_Datatype plain, type;
  const int lengths[3] = {1, 3, 1};
  const MPI_Aint at[3] = {offsetof(Particle, tag), offsetof(Particle, place), offsetof(Particle, id)};
  const MPI_Datatype types[3] = {MPI_CHAR, MPI_DOUBLE, MPI_INT};
  MPI_Type_create_struct(3, lengths, at, types, &plain);
  MPI_Type_create_resized(plain, 0, sizeof(Particle), &type);
  MPI_Type_commit(&type);
  MPI_Type_free(&plain);
  return type;
}

static void structs(void) {
  MPI_Datatype type = particle();
  Particle out[50], in[50];
  const int right = (me + 1) % n, left = (me + n - 1) % n;
  memset(in, 0, sizeof in);
  for (int i = 0; i < 50; ++i) {
    out[i].tag = (char)('a' + i % 26);
    for (int k = 0; k < 3; ++k) out[i].place[k] = me + i * 0.5 + k;
    out[i].id = me * 100 + i;
  }
  MPI_Status status;
  MPI_Sendrecv(out, 40, type, right, 0, in, 50, type, left, 0, MPI_COMM_WORLD, &status);
  int count, elements, size;
  MPI_Aint lb, extent;
  MPI_Get_count(&status, type, &count);
  MPI_Get_elements(&status, type, &elements);
  MPI_Type_size(type, &size);
  MPI_Type_get_extent(type, &lb, &extent);
  double sum = 0;
  int wrong = 0;
  for (int i = 0; i < 50; ++i) {
    sum += in[i].place[2];
    wrong += i < 40 ? in[i].id != left * 100 + i || in[i].tag != 'a' + i % 26 : in[i].id != 0;
  }
  say("structs %d %d size %d extent %d sum %.2f wrong %d", count, elements, size,
      extent == sizeof(Particle), sum, wrong);
  MPI_Type_free(&type);
}

// A matrix goes transposed: rows are sent, columns received.
static void columns(void) {
  enum { kSize = 12 };
  static double a[kSize][kSize], b[kSize][kSize];
  MPI_Datatype column, columns;
  MPI_Type_vector(kSize, 1, kSize, MPI_DOUBLE, &column);
  MPI_Type_create_resized(column, 0, sizeof(double), &columns);
  MPI_Type_commit(&columns);
  for (int i = 0; i < kSize; ++i) {
    for (int k = 0; k < kSize; ++k) a[i][k] = me * 1000 + i * kSize + k;
  }
  MPI_Request request;
  const int right = (me + 1) % n, left = (me + n - 1) % n;
  MPI_Isend(a, kSize * kSize, MPI_DOUBLE, right, 1, MPI_COMM_WORLD, &request);
  MPI_Recv(b, kSize, columns, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  int wrong = 0;
  for (int i = 0; i < kSize; ++i) {
    for (int k = 0; k < kSize; ++k) wrong += b[k][i] != left * 1000 + i * kSize + k;
  }
  memset(b, 0, sizeof b);
  if (me == 0) memcpy(b, a, sizeof b);
  MPI_Bcast(b, kSize / 2, columns, 0, MPI_COMM_WORLD);
  double sum = 0;
  for (int i = 0; i < kSize; ++i) {
    for (int k = 0; k < kSize / 2; ++k) sum += b[i][k] * (i + 1);
  }
  say("columns %d wrong, sum %.1f", wrong, sum);
  MPI_Type_free(&column);
  MPI_Type_free(&columns);
}

static void parts(void) {
  static int grid[10][10], all[10][10];
  const int sizes[2] = {10, 10}, inner[2] = {4, 5}, starts[2] = {2, 3};
  MPI_Datatype block, picked;
  MPI_Type_create_subarray(2, sizes, inner, starts, MPI_ORDER_C, MPI_INT, &block);
  MPI_Type_commit(&block);
  const int lengths[3] = {2, 1, 3}, at[3] = {0, 7, 20};
  MPI_Type_indexed(3, lengths, at, MPI_INT, &picked);
  MPI_Type_commit(&picked);
  for (int i = 0; i < 100; ++i) grid[i / 10][i % 10] = me * 1000 + i;
  int packed[40], position = 0, bytes;
  MPI_Pack(grid, 1, block, packed, sizeof packed * 2, &position, MPI_COMM_WORLD);
  MPI_Pack_size(1, block, MPI_COMM_WORLD, &bytes);
  say("packed %d %d %ld", position, bytes >= position, sum_of(packed, 20));
  memset(all, 0, sizeof all);
  position = 0;
  MPI_Unpack(packed, bytes, &position, all, 1, block, MPI_COMM_WORLD);
  say("unpacked %ld", sum_of(&all[0][0], 100));
  int sixes[6 * 64];
  MPI_Gather(grid, 1, picked, sixes, 6, MPI_INT, 0, MPI_COMM_WORLD);
  if (me == 0) say("gathered %ld", sum_of(sixes, 6 * n));
  int combiner, integers, addresses, types;
  MPI_Type_get_envelope(picked, &integers, &addresses, &types, &combiner);
  say("made of %d %d %d %d", integers, addresses, types, combiner == MPI_COMBINER_INDEXED);
  char outside[80];
  MPI_Aint out_at = 0;
  MPI_Pack_external("external32", grid, 2, MPI_INT, outside, 80, &out_at);
  say("external %d %d %d", (int)out_at, outside[2], outside[7] & 0xff);
  MPI_Type_free(&block);
  MPI_Type_free(&picked);
}

static void absolute(void) {
  static int a, b[3];
  const int lengths[2] = {1, 3};
  MPI_Aint at[2];
  MPI_Datatype type;
  MPI_Get_address(&a, &at[0]);
  MPI_Get_address(b, &at[1]);
  MPI_Type_create_hindexed(2, lengths, at, MPI_INT, &type);
  MPI_Type_commit(&type);
  a = me + 1;
  for (int i = 0; i < 3; ++i) b[i] = me * 3 + i;
  MPI_Sendrecv_replace(MPI_BOTTOM, 1, type, (me + 1) % n, 0, (me + n - 1) % n, 0, MPI_COMM_WORLD,
                       MPI_STATUS_IGNORE);
  say("absolute %d %d %d %d", a, b[0], b[1], b[2]);
  MPI_Type_free(&type);
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  structs();
  columns();
  parts();
  absolute();
  MPI_Finalize();
  return 0;
}
