// Partitioned messages: partitions that are ready in any order, other numbers of them at the two
// ends, datatypes with gaps, and ends that find each other by the order in which they were made.
#include "check.h"

#include <string.h>

// MPICH 4.0 itself fails in MPI_Parrived before the two ends know each other, and with
// MPI_PROC_NULL.
static int roam;

enum { kParts = 6, kEach = 5, kTimes = 3 };

static void ring(void) {
  int out[kParts * kEach], in[kParts * kEach], flag;
  MPI_Request send, receive;
  const int to = (me + 1) % n, from = (me + n - 1) % n;
  MPI_Psend_init(out, kParts, kEach, MPI_INT, to, 7, MPI_COMM_WORLD, MPI_INFO_NULL, &send);
  MPI_Precv_init(in, kParts, kEach, MPI_INT, from, 7, MPI_COMM_WORLD, MPI_INFO_NULL, &receive);
  for (int time = 0; time < kTimes; ++time) {
    const int list[2] = {4, 1};
    for (int i = 0; i < kParts * kEach; ++i) out[i] = me * 1000 + i + time * 100;
    MPI_Start(&receive);
    MPI_Start(&send);
    MPI_Pready(5, send);
    MPI_Pready_range(2, 3, send);
    MPI_Pready_list(2, list, send);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Test(&receive, &flag, MPI_STATUS_IGNORE);
    if (flag) say("too early");
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Pready(0, send);
    for (int i = 0; roam && i < kParts; ++i) {
      flag = 0;
      while (!flag) MPI_Parrived(receive, i, &flag);
    }
    MPI_Wait(&send, MPI_STATUS_IGNORE);
    MPI_Wait(&receive, MPI_STATUS_IGNORE);
    say("ring %ld", sum_of(in, kParts * kEach) % 1000003);
  }
  MPI_Request_free(&send);
  MPI_Request_free(&receive);
}

// The receiver has half as many partitions, and another datatype.
static void halves(void) {
  int out[kParts * kEach * 2], in[kParts * kEach];
  MPI_Datatype every_other;
  MPI_Request requests[2];
  MPI_Status statuses[2];
  MPI_Type_create_resized(MPI_INT, 0, 2 * sizeof(int), &every_other);
  MPI_Type_commit(&every_other);
  for (int i = 0; i < kParts * kEach * 2; ++i) out[i] = me * 7 + i;
  MPI_Psend_init(out, kParts, kEach, every_other, n - 1 - me, 8, MPI_COMM_WORLD, MPI_INFO_NULL,
                 &requests[0]);
  MPI_Precv_init(in, kParts / 2, kEach * 2, MPI_INT, n - 1 - me, 8, MPI_COMM_WORLD, MPI_INFO_NULL,
                 &requests[1]);
  MPI_Type_free(&every_other);
  MPI_Startall(2, requests);
  MPI_Pready_range(0, kParts - 1, requests[0]);
  MPI_Waitall(2, requests, statuses);
  say("halves %ld", sum_of(in, kParts * kEach) % 1000003);
  for (int i = 0; i < 2; ++i) MPI_Request_free(&requests[i]);
}

// Two of one tag, started in another order than they were made; an ordinary message between is not
// theirs. One is never started, one goes nowhere, one is long.
static void several(void) {
  enum { kLong = 100000 };
  int in[3] = {0, 0, 0}, out[3], flag = 0, i;
  int* much = malloc(2 * kLong * sizeof *much);
  MPI_Request send[3], receive[3], nowhere, left, plain;
  const int other = me ^ 1;
  if (other >= n) {
    free(much);
    return;
  }
  for (i = 0; i < 3; ++i) {
    out[i] = me * 10 + i;
    MPI_Psend_init(&out[i], 1, 1, MPI_INT, other, 9, MPI_COMM_WORLD, MPI_INFO_NULL, &send[i]);
    MPI_Precv_init(&in[i], 1, 1, MPI_INT, other, 9, MPI_COMM_WORLD, MPI_INFO_NULL, &receive[i]);
  }
  for (i = 2; i >= 0; --i) {
    MPI_Start(&send[i]);
    MPI_Pready(0, send[i]);
  }
  for (i = 0; i < 3; ++i) MPI_Start(&receive[i]);
  MPI_Waitall(3, receive, MPI_STATUSES_IGNORE);
  MPI_Waitall(3, send, MPI_STATUSES_IGNORE);
  say("several %d %d %d", in[0], in[1], in[2]);
  for (i = 0; i < 3; ++i) {
    MPI_Request_free(&send[i]);
    MPI_Request_free(&receive[i]);
  }

  if (roam) {
    MPI_Psend_init(out, 2, 1, MPI_INT, MPI_PROC_NULL, 1, MPI_COMM_WORLD, MPI_INFO_NULL, &nowhere);
    MPI_Start(&nowhere);
    MPI_Pready_range(0, 1, nowhere);
    MPI_Wait(&nowhere, MPI_STATUS_IGNORE);
    MPI_Request_free(&nowhere);
  }

  for (i = 0; i < kLong; ++i) much[i] = i * 3 + me;
  MPI_Psend_init(much, 4, kLong / 4, MPI_INT, other, 3, MPI_COMM_WORLD, MPI_INFO_NULL, &send[0]);
  MPI_Precv_init(much + kLong, 2, kLong / 2, MPI_INT, other, 3, MPI_COMM_WORLD, MPI_INFO_NULL,
                 &receive[0]);
  MPI_Psend_init(out, 1, 1, MPI_INT, other, 3, MPI_COMM_WORLD, MPI_INFO_NULL, &left);
  MPI_Irecv(&in[0], 1, MPI_INT, other, 3, MPI_COMM_WORLD, &plain);
  MPI_Start(&send[0]);
  MPI_Pready_range(0, 3, send[0]);
  MPI_Start(&receive[0]);
  MPI_Wait(&receive[0], MPI_STATUS_IGNORE);
  MPI_Wait(&send[0], MPI_STATUS_IGNORE);
  MPI_Test(&plain, &flag, MPI_STATUS_IGNORE);
  say("long %ld, plain %d", sum_of(much + kLong, kLong) % 1000003, flag);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Send(&out[1], 1, MPI_INT, other, 3, MPI_COMM_WORLD);
  MPI_Wait(&plain, MPI_STATUS_IGNORE);
  say("plain %d", in[0]);
  MPI_Precv_init(&in[0], 1, 1, MPI_INT, other, 3, MPI_COMM_WORLD, MPI_INFO_NULL, &receive[1]);
  MPI_Request_free(&left);
  MPI_Request_free(&receive[1]);
  MPI_Request_free(&send[0]);
  MPI_Request_free(&receive[0]);
  free(much);
}

int main(int argc, char** argv) {
  char version[MPI_MAX_LIBRARY_VERSION_STRING];
  int length;
  begin(&argc, &argv);
  MPI_Get_library_version(version, &length);
  roam = strncmp(version, "Roam", 4) == 0;
  ring();
  halves();
  several();
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Finalize();
  return 0;
}
