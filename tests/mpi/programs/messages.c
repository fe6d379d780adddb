// Messages from one rank to another: modes, orders, wildcards, probes, requests of each kind.
#include <string.h>

#include "check.h"

static int data[100000], other[100000];

static void fill(int seed, int count) {
  for (int i = 0; i < count; ++i) data[i] = seed * 1000 + i;
}

static void ring(int count) {
  MPI_Status status;
  const int right = (me + 1) % n, left = (me + n - 1) % n;
  fill(me, count);
  memset(other, 0, sizeof other);
  MPI_Sendrecv(data, count, MPI_INT, right, count % 7, other, count + 3, MPI_INT, left,
               MPI_ANY_TAG, MPI_COMM_WORLD, &status);
  int got;
  MPI_Get_count(&status, MPI_INT, &got);
  say("ring of %d: %d from %d tag %d sum %ld", count, got, status.MPI_SOURCE, status.MPI_TAG,
      sum_of(other, count));
  MPI_Sendrecv_replace(data, count, MPI_INT, left, 1, right, 1, MPI_COMM_WORLD, &status);
  say("replaced: %ld", sum_of(data, count));
}

static void modes(void) {
  char* buffer = malloc(1 << 20);
  MPI_Buffer_attach(buffer, 1 << 20);
  MPI_Request requests[8];
  const int right = (me + 1) % n, left = (me + n - 1) % n;
  int out[4] = {me, me * 2, me * 3, me * 4}, in[4];
  for (int i = 0; i < 4; ++i)
    MPI_Irecv(&in[i], 1, MPI_INT, left, 10 + i, MPI_COMM_WORLD, &requests[i]);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Issend(&out[0], 1, MPI_INT, right, 10, MPI_COMM_WORLD, &requests[4]);
  MPI_Bsend(&out[1], 1, MPI_INT, right, 11, MPI_COMM_WORLD);
  MPI_Irsend(&out[2], 1, MPI_INT, right, 12, MPI_COMM_WORLD, &requests[5]);
  MPI_Isend(&out[3], 1, MPI_INT, right, 13, MPI_COMM_WORLD, &requests[6]);
  int left_over = 7;
  while (left_over > 0) {
    int count, which[7];
    MPI_Waitsome(7, requests, &count, which, MPI_STATUSES_IGNORE);
    left_over -= count;
  }
  int detached;
  MPI_Buffer_detach(&buffer, &detached);
  free(buffer);
  say("modes: %d %d %d %d of %d", in[0], in[1], in[2], in[3], detached);
  if (n > 1 && me == 0) MPI_Ssend(data, 20000, MPI_INT, 1, 20, MPI_COMM_WORLD);
  if (n > 1 && me == 1) {
    MPI_Recv(other, 20000, MPI_INT, 0, 20, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    say("synchronous: %ld", sum_of(other, 20000));
  }
}

// Rank 0 hears all others, who send each several; those of one come in their order. It takes any
// message, so nobody sends another one before it has all of these.
static void wildcards(void) {
  enum { kEach = 10 };
  if (me != 0) {
    for (int i = 0; i < kEach; ++i) {
      const int value = me * 100 + i;
      MPI_Send(&value, 1, MPI_INT, 0, i % 3, MPI_COMM_WORLD);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    return;
  }
  int last[3][100], count[100] = {0}, wrong = 0;
  memset(last, -1, sizeof last);
  for (int i = 0; i < kEach * (n - 1); ++i) {
    MPI_Status status;
    int value, bytes;
    MPI_Probe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
    MPI_Get_count(&status, MPI_BYTE, &bytes);
    MPI_Recv(&value, 1, MPI_INT, status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD, &status);
    int* before = &last[status.MPI_TAG][status.MPI_SOURCE];
    wrong += bytes != 4 || value <= *before || value / 100 != status.MPI_SOURCE;
    *before = value;
    ++count[status.MPI_SOURCE];
  }
  for (int i = 1; i < n; ++i) wrong += count[i] != kEach;
  MPI_Barrier(MPI_COMM_WORLD);
  say("wildcards: %d wrong", wrong);
}

static void persistent(void) {
  const int right = (me + 1) % n, left = (me + n - 1) % n;
  MPI_Request requests[2];
  int out, in = 0;
  long all = 0;
  MPI_Recv_init(&in, 1, MPI_INT, left, 3, MPI_COMM_WORLD, &requests[0]);
  MPI_Send_init(&out, 1, MPI_INT, right, 3, MPI_COMM_WORLD, &requests[1]);
  for (int i = 0; i < 20; ++i) {
    out = me * 20 + i;
    MPI_Startall(2, requests);
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    all = all * 3 + in;
  }
  MPI_Request_free(&requests[0]);
  MPI_Request_free(&requests[1]);
  say("persistent: %ld", all);
}

// All send much before anybody receives: nothing may wait for room.
static void flood(void) {
  enum { kCount = 200, kInts = 2000 };
  static int out[kCount][kInts], in[kInts];
  static MPI_Request requests[kCount];
  const int right = (me + 1) % n, left = (me + n - 1) % n;
  for (int i = 0; i < kCount; ++i) {
    for (int k = 0; k < kInts; ++k) out[i][k] = me + i * k;
    MPI_Isend(out[i], kInts, MPI_INT, right, 8, MPI_COMM_WORLD, &requests[i]);
  }
  int wrong = 0;
  for (int i = 0; i < kCount; ++i) {
    MPI_Recv(in, kInts, MPI_INT, left, 8, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    for (int k = 0; k < kInts; ++k) wrong += in[k] != left + i * k;
  }
  MPI_Waitall(kCount, requests, MPI_STATUSES_IGNORE);
  say("flood: %d wrong", wrong);
}

static void ends(void) {
  MPI_Status status;
  int value = 7, count, class;
  MPI_Recv(&value, 1, MPI_INT, MPI_PROC_NULL, 0, MPI_COMM_WORLD, &status);
  MPI_Get_count(&status, MPI_INT, &count);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  const int error = MPI_Send(&value, 1, MPI_INT, n, 1, MPI_COMM_WORLD);
  MPI_Error_class(error, &class);
  say("null %d %d %d, no such rank %d", value, count, status.MPI_SOURCE == MPI_PROC_NULL,
      class == MPI_ERR_RANK);
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  ring(0);
  ring(1);
  ring(1000);
  ring(99000);
  modes();
  wildcards();
  persistent();
  flood();
  ends();
  MPI_Finalize();
  return 0;
}
