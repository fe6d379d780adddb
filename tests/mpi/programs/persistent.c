// Persistent collectives: started several times with other data, in another order by each rank, of
// datatypes and operations that are freed meanwhile. What MPICH 4.0 itself does wrong from the second
// start on (MPI_Scatter_init, MPI_Gather_init, datatypes with gaps) is not printed, but checked.
#include "check.h"

#include <string.h>

enum { kMost = 64, kTimes = 3 };

static void run(MPI_Request* request) {
  MPI_Start(request);
  MPI_Wait(request, MPI_STATUS_IGNORE);
}

static int roam;  // it runs as a virtual rank

static void check(const char* what, int wrong) {
  if (roam && wrong) say("%s: wrong", what);
}

// x then y as digits, modulo a number: the order counts.
static void chain(void* in, void* inout, int* count, MPI_Datatype* type) {
  (void)type;
  int *a = in, *b = inout;
  for (int i = 0; i < *count; ++i) b[i] = (a[i] * 31 + b[i] * 7) % 9973;
}

static void moves(MPI_Comm comm, const char* name) {
  int r, size, value = 0, mine[8], out[kMost], in[kMost], counts[8], places[8], all[kMost];
  MPI_Request requests[8];
  MPI_Comm_rank(comm, &r);
  MPI_Comm_size(comm, &size);
  for (int i = 0, at = 0; i < size; at += ++i) {
    counts[i] = i + 1;
    places[i] = at;
  }
  const int sum = size * (size + 1) / 2;
  MPI_Bcast_init(&value, 1, MPI_INT, size - 1, comm, MPI_INFO_NULL, &requests[0]);
  MPI_Barrier_init(comm, MPI_INFO_NULL, &requests[1]);
  MPI_Gatherv_init(out, r + 1, MPI_INT, all, counts, places, MPI_INT, 0, comm, MPI_INFO_NULL,
                   &requests[2]);
  MPI_Allgatherv_init(out, r + 1, MPI_INT, in, counts, places, MPI_INT, comm, MPI_INFO_NULL,
                      &requests[3]);
  for (int time = 0; time < kTimes; ++time) {
    value = r == size - 1 ? time * 11 + 5 : -1;
    for (int i = 0; i <= r; ++i) out[i] = 100 * r + i + time;
    // Each rank begins with another one.
    for (int i = 0; i < 4; ++i) MPI_Start(&requests[(i + r + time) % 4]);
    MPI_Waitall(4, requests, MPI_STATUSES_IGNORE);
    say("%s %d: %d %ld %ld", name, time, value, r == 0 ? sum_of(all, sum) : 0,
        sum_of(in, sum));
  }
  for (int i = 0; i < 4; ++i) MPI_Request_free(&requests[i]);

  MPI_Alltoall_init(MPI_IN_PLACE, 0, MPI_INT, out, 1, MPI_INT, comm, MPI_INFO_NULL, &requests[0]);
  MPI_Scatterv_init(all, counts, places, MPI_INT, mine, r + 1, MPI_INT, 0, comm, MPI_INFO_NULL,
                    &requests[1]);
  for (int time = 0; time < kTimes; ++time) {
    for (int i = 0; i < size; ++i) out[i] = r * 100 + i * 3 + time;
    for (int i = 0; i < sum; ++i) all[i] = i * time;
    MPI_Startall(2, requests);
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    say("%s in place %ld, scattered %ld", name, sum_of(out, size), sum_of(mine, r + 1));
  }
  for (int i = 0; i < 2; ++i) MPI_Request_free(&requests[i]);
}

static void reductions(MPI_Comm comm) {
  int in[4], out[4], here[4], before[4], part, counts[8];
  MPI_Op op;
  MPI_Request requests[6];
  for (int i = 0; i < n; ++i) counts[i] = 1;
  MPI_Op_create(chain, 0, &op);
  MPI_Allreduce_init(in, out, 4, MPI_INT, op, comm, MPI_INFO_NULL, &requests[0]);
  MPI_Scan_init(in, here, 4, MPI_INT, op, comm, MPI_INFO_NULL, &requests[1]);
  MPI_Exscan_init(in, before, 4, MPI_INT, op, comm, MPI_INFO_NULL, &requests[2]);
  MPI_Reduce_scatter_init(in, &part, counts, MPI_INT, MPI_SUM, comm, MPI_INFO_NULL, &requests[3]);
  MPI_Op_free(&op);
  for (int time = 0; time < kTimes; ++time) {
    for (int i = 0; i < 4; ++i) {
      in[i] = me * 5 + i + time;
      before[i] = -1;
    }
    for (int i = 3; i >= 0; --i) {
      if ((me + time) % 2 == 0) MPI_Start(&requests[i]);
    }
    for (int i = 0; i < 4; ++i) {
      if ((me + time) % 2 != 0) MPI_Start(&requests[i]);
    }
    MPI_Waitall(4, requests, MPI_STATUSES_IGNORE);
    say("reductions %ld %ld %ld %d", sum_of(out, 4), sum_of(here, 4),
        me == 0 ? 0 : sum_of(before, 4), part);
  }
  for (int i = 0; i < 4; ++i) MPI_Request_free(&requests[i]);
  MPI_Reduce_init(me == 1 ? MPI_IN_PLACE : in, out, 4, MPI_INT, MPI_MAX, 1, comm, MPI_INFO_NULL,
                  &requests[0]);
  for (int time = 0; time < kTimes; ++time) {
    for (int i = 0; i < 4; ++i) in[i] = out[i] = (me * 7 + i * 3 + time) % 11;
    run(&requests[0]);
    if (me == 1) say("reduced in place %ld", sum_of(out, 4));
  }
  MPI_Request_free(&requests[0]);
}

// What is sent and received has gaps, and the datatype is freed before the first start.
static void gaps(MPI_Comm comm) {
  static const int fixed[4] = {3, 1, 4, 1};
  int grid[16], in[kMost * 4], copied[kMost];
  MPI_Datatype column;
  MPI_Comm own;
  MPI_Request requests[2];
  MPI_Comm_dup(comm, &own);
  MPI_Type_vector(4, 1, 4, MPI_INT, &column);
  MPI_Type_commit(&column);
  MPI_Allgather_init(grid + 1, 1, column, in, 4, MPI_INT, own, MPI_INFO_NULL, &requests[0]);
  MPI_Allgather_init(fixed, 4, MPI_INT, copied, 4, MPI_INT, own, MPI_INFO_NULL, &requests[1]);
  MPI_Type_free(&column);
  MPI_Type_contiguous(2, MPI_DOUBLE, &column);  // it may have the same number
  MPI_Type_commit(&column);
  for (int time = 0; time < kTimes; ++time) {
    for (int i = 0; i < 16; ++i) grid[i] = me * 1000 + i * 10 + time;
    MPI_Startall(2, requests);
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    int wrong = 0;
    for (int i = 0; i < 4 * n; ++i)
      wrong += in[i] != i / 4 * 1000 + (i % 4 * 4 + 1) * 10 + time;
    check("columns", wrong);
    say("constants %ld", sum_of(copied, 4 * n));
  }
  MPI_Type_free(&column);
  for (int i = 0; i < 2; ++i) MPI_Request_free(&requests[i]);
  MPI_Comm_free(&own);
}

static void parts(void) {
  int out[2], in[2], all[kMost];
  MPI_Request requests[2];
  if (!roam) return;
  MPI_Gather_init(out, 2, MPI_INT, all, 2, MPI_INT, 1, MPI_COMM_WORLD, MPI_INFO_NULL,
                  &requests[0]);
  MPI_Scatter_init(all, 2, MPI_INT, in, 2, MPI_INT, 1, MPI_COMM_WORLD, MPI_INFO_NULL,
                   &requests[1]);
  for (int time = 0; time < kTimes; ++time) {
    int wrong = 0;
    for (int i = 0; i < 2; ++i) out[i] = me * 10 + i + time * 1000;
    run(&requests[0]);
    for (int i = 0; me == 1 && i < 2 * n; ++i) {
      wrong += all[i] != i / 2 * 10 + i % 2 + time * 1000;
      all[i] *= 3;
    }
    run(&requests[1]);
    for (int i = 0; i < 2; ++i) wrong += in[i] != 3 * out[i];
    check("parts", wrong);
  }
  for (int i = 0; i < 2; ++i) MPI_Request_free(&requests[i]);
}

static void neighbours(void) {
  MPI_Comm ring;
  const int dims[1] = {n}, periods[1] = {1};
  int out[4], in[4];
  MPI_Request requests[2];
  MPI_Cart_create(MPI_COMM_WORLD, 1, dims, periods, 0, &ring);
  MPI_Neighbor_alltoall_init(out, 2, MPI_INT, in, 2, MPI_INT, ring, MPI_INFO_NULL, &requests[0]);
  MPI_Neighbor_allgather_init(out, 1, MPI_INT, in + 2, 1, MPI_INT, ring, MPI_INFO_NULL,
                              &requests[1]);
  for (int time = 0; time < kTimes; ++time) {
    for (int i = 0; i < 4; ++i) out[i] = me * 10 + i + time * 100;
    run(&requests[0]);
    const long first = sum_of(in, 4);
    run(&requests[1]);
    say("ring %ld %d %d", first, in[2], in[3]);
  }
  for (int i = 0; i < 2; ++i) MPI_Request_free(&requests[i]);
  MPI_Comm_free(&ring);
}

// One that is freed while it is under way goes on; others are told by their tests.
static void ends(void) {
  int value[2] = {me == 0 ? 17 : 0, me == 0 ? 19 : 0}, done = 0;
  MPI_Request request, left, barrier;
  MPI_Status status;
  MPI_Bcast_init(&value[0], 1, MPI_INT, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &request);
  MPI_Bcast_init(&value[1], 1, MPI_INT, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &left);
  MPI_Barrier_init(MPI_COMM_WORLD, MPI_INFO_NULL, &barrier);
  MPI_Start(&left);
  MPI_Start(&request);
  while (!done) MPI_Test(&request, &done, &status);
  run(&barrier);
  MPI_Request_free(&request);
  MPI_Wait(&left, MPI_STATUS_IGNORE);
  say("ends %d %d", value[0], value[1]);
  MPI_Request_free(&left);
  MPI_Start(&barrier);
  MPI_Request_free(&barrier);
  say("freed %d", barrier == MPI_REQUEST_NULL);
}

int main(int argc, char** argv) {
  MPI_Comm part;
  char version[MPI_MAX_LIBRARY_VERSION_STRING];
  int length;
  begin(&argc, &argv);
  MPI_Get_library_version(version, &length);
  roam = strncmp(version, "Roam", 4) == 0;
  moves(MPI_COMM_WORLD, "all");
  MPI_Comm_split(MPI_COMM_WORLD, me % 2, -me, &part);
  moves(part, "part");
  MPI_Comm_free(&part);
  reductions(MPI_COMM_WORLD);
  gaps(MPI_COMM_WORLD);
  parts();
  neighbours();
  ends();
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Finalize();
  return 0;
}
