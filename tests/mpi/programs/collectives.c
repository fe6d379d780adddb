// Collectives, blocking and not, in place and not, on communicators of several sizes; reductions by
// operations of the standard and of the program, whose order counts.
#include "check.h"

// Matrices of 2 x 2, modulo a number: their product depends on the order.
typedef struct {
  unsigned v[4];
} Matrix;
static void multiply(void* in, void* inout, int* count, MPI_Datatype* type) {
  (void)type;
  Matrix *a = in, *b = inout;
  for (int i = 0; i < *count; ++i) {
    const Matrix x = a[i], y = b[i];
    b[i].v[0] = (x.v[0] * y.v[0] + x.v[1] * y.v[2]) % 9973;
    b[i].v[1] = (x.v[0] * y.v[1] + x.v[1] * y.v[3]) % 9973;
    b[i].v[2] = (x.v[2] * y.v[0] + x.v[3] * y.v[2]) % 9973;
    b[i].v[3] = (x.v[2] * y.v[1] + x.v[3] * y.v[3]) % 9973;
  }
}

static void moves(MPI_Comm comm, const char* name) {
  int r, size, all[64] = {0}, part[8] = {0};
  MPI_Comm_rank(comm, &r);
  MPI_Comm_size(comm, &size);
  for (int root = 0; root < size; ++root) {
    int value = r == root ? root * 11 + 5 : -1;
    MPI_Bcast(&value, 1, MPI_INT, root, comm);
    int mine[2] = {r * 10 + root, r * 10 + root + 1};
    MPI_Gather(mine, 2, MPI_INT, all, 2, MPI_INT, root, comm);
    const long gathered = r == root ? sum_of(all, 2 * size) : 0;
    for (int i = 0; i < 2 * size; ++i) all[i] = i * 3 + root;
    MPI_Scatter(all, 2, MPI_INT, part, 2, MPI_INT, root, comm);
    say("%s root %d: %d %ld %d %d", name, root, value, gathered, part[0], part[1]);
  }
  int counts[8], places[8];
  for (int i = 0, at = 0; i < size; at += ++i) {
    counts[i] = i + 1;
    places[i] = at;
  }
  int own[8];
  for (int i = 0; i <= r; ++i) own[i] = 100 * r + i;
  MPI_Allgatherv(own, r + 1, MPI_INT, all, counts, places, MPI_INT, comm);
  say("%s allgatherv %ld", name, sum_of(all, size * (size + 1) / 2));
  MPI_Gatherv(own, r + 1, MPI_INT, all, counts, places, MPI_INT, size - 1, comm);
  MPI_Scatterv(all, counts, places, MPI_INT, own, r + 1, MPI_INT, size - 1, comm);
  say("%s scatterv %ld", name, sum_of(own, r + 1));
  int out[64], in[64];
  for (int i = 0; i < 2 * size; ++i) out[i] = r * 100 + i;
  MPI_Alltoall(out, 2, MPI_INT, in, 2, MPI_INT, comm);
  say("%s alltoall %ld", name, sum_of(in, 2 * size));
  MPI_Alltoall(MPI_IN_PLACE, 0, MPI_INT, out, 2, MPI_INT, comm);
  say("%s in place %d", name, sum_of(out, 2 * size) == sum_of(in, 2 * size));
  all[r] = r * 7;
  MPI_Allgather(MPI_IN_PLACE, 0, MPI_INT, all, 1, MPI_INT, comm);
  say("%s allgather in place %ld", name, sum_of(all, size));
}

static void reductions(MPI_Comm comm, const char* name) {
  int r, size;
  MPI_Comm_rank(comm, &r);
  MPI_Comm_size(comm, &size);
  double x[3] = {r + 0.5, 1.0 / (r + 1), -r}, sum[3], most[3];
  MPI_Allreduce(x, sum, 3, MPI_DOUBLE, MPI_SUM, comm);
  MPI_Reduce(x, most, 3, MPI_DOUBLE, MPI_MAX, size - 1, comm);
  say("%s sum %.6f %.6f %.6f", name, sum[0], sum[1], sum[2]);
  if (r == size - 1) say("%s max %.6f %.6f %.6f", name, most[0], most[1], most[2]);
  struct {
    double value;
    int at;
  } pair = {(r * 7) % 5, r}, found;
  MPI_Allreduce(&pair, &found, 1, MPI_DOUBLE_INT, MPI_MAXLOC, comm);
  say("%s maxloc %.1f at %d", name, found.value, found.at);
  unsigned bits = 1u << r, seen;
  MPI_Allreduce(&bits, &seen, 1, MPI_UNSIGNED, MPI_BOR, comm);
  int scanned = r + 1, before = -1;
  MPI_Scan(MPI_IN_PLACE, &scanned, 1, MPI_INT, MPI_SUM, comm);
  const int one = r + 1;
  MPI_Exscan(&one, &before, 1, MPI_INT, MPI_PROD, comm);
  say("%s bits %x scan %d exscan %d", name, seen, scanned, r == 0 ? 0 : before);

  MPI_Datatype type;
  MPI_Type_contiguous(4, MPI_UNSIGNED, &type);
  MPI_Type_commit(&type);
  MPI_Op op;
  MPI_Op_create(multiply, 0, &op);
  Matrix mine[2] = {{{r + 1, 2, 3, r + 4}}, {{r, 1, 1, r + 2}}}, product[2];
  for (int root = 0; root < size; ++root) {
    MPI_Reduce(mine, product, 2, type, op, root, comm);
    if (r == root) say("%s product %u %u %u", name, product[0].v[0], product[0].v[1], product[1].v[3]);
  }
  MPI_Scan(mine, product, 2, type, op, comm);
  say("%s products %u %u", name, product[0].v[2], product[1].v[0]);
  MPI_Op_free(&op);
  MPI_Type_free(&type);
  int parts[16], counts[8], got[8] = {0};
  for (int i = 0; i < 2 * size; ++i) parts[i] = r + i;
  MPI_Reduce_scatter_block(parts, got, 2, MPI_INT, MPI_SUM, comm);
  for (int i = 0; i < size; ++i) counts[i] = i % 3;
  int few[8] = {0};
  MPI_Reduce_scatter(parts, few, counts, MPI_INT, MPI_SUM, comm);
  say("%s reduce_scatter %d %d %ld", name, got[0], got[1], sum_of(few, r % 3));
}

static void several(MPI_Comm comm) {
  MPI_Request requests[5];
  int r, size, value, sum = 0, mine, all[64], scan;
  MPI_Comm_rank(comm, &r);
  MPI_Comm_size(comm, &size);
  value = r == 0 ? 42 : 0;
  mine = r + 3;
  MPI_Ibcast(&value, 1, MPI_INT, 0, comm, &requests[0]);
  MPI_Iallreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, comm, &requests[1]);
  MPI_Iallgather(&mine, 1, MPI_INT, all, 1, MPI_INT, comm, &requests[2]);
  MPI_Ibarrier(comm, &requests[3]);
  MPI_Iscan(&mine, &scan, 1, MPI_INT, MPI_SUM, comm, &requests[4]);
  // Some of them are waited for, the rest asked for until they are done.
  MPI_Wait(&requests[2], MPI_STATUS_IGNORE);
  int done = 0;
  while (!done) MPI_Testall(5, requests, &done, MPI_STATUSES_IGNORE);
  say("under way together: %d %d %ld %d", value, sum, sum_of(all, size), scan);
}

// Of two buffers of one rank, and by an operation whose counts are long.
static void count_up(void* in, void* inout, int* count, MPI_Datatype* type) {
  (void)type;
  for (int i = 0; i < *count; ++i) ((int*)inout)[i] += ((int*)in)[i];
}
static void first_minus_second(void* in, void* inout, MPI_Count* count, MPI_Datatype* type) {
  (void)type;
  for (MPI_Count i = 0; i < *count; ++i) ((int*)inout)[i] = ((int*)in)[i] - ((int*)inout)[i];
}
static void alone(void) {
  int in[6], inout[6], sum;
  MPI_Op op;
  MPI_Datatype odd;
  for (int i = 0; i < 6; ++i) {
    in[i] = me * 10 + i;
    inout[i] = 100 + i * i;
  }
  MPI_Reduce_local(in, inout, 6, MPI_INT, MPI_SUM);
  MPI_Op_create_c(first_minus_second, 0, &op);
  MPI_Reduce_local_c(in, inout, 4, MPI_INT, op);
  say("alone %ld", sum_of(inout, 6));
  MPI_Reduce(in, &sum, 1, MPI_INT, op, 0, MPI_COMM_WORLD);
  if (me == 0) say("in turn %d", sum);
  MPI_Op_free(&op);
  MPI_Type_vector(3, 1, 2, MPI_INT, &odd);
  MPI_Type_commit(&odd);
  MPI_Op_create(count_up, 1, &op);
  MPI_Reduce_local(in, inout, 1, odd, op);
  say("counted up %ld", sum_of(inout, 6));
  MPI_Op_free(&op);
  MPI_Type_free(&odd);
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  MPI_Comm half, back;
  MPI_Comm_split(MPI_COMM_WORLD, me % 2, -me, &half);
  MPI_Comm_split(MPI_COMM_WORLD, 0, -me, &back);
  moves(MPI_COMM_WORLD, "world");
  moves(half, "half");
  reductions(MPI_COMM_WORLD, "world");
  reductions(back, "back");
  several(MPI_COMM_WORLD);
  several(half);
  alone();
  MPI_Comm_free(&half);
  MPI_Comm_free(&back);
  MPI_Finalize();
  return 0;
}
