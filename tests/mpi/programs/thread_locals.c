// Every way to receive, into thread_local variables: virtual ranks of one rank have them at one place
// of the process, each its own.
#include <string.h>

#include "check.h"

#define COUNT 6

static __thread int values[COUNT * 8];

static void clear(void) {
  for (int i = 0; i < COUNT * 8; ++i) values[i] = -1 - me;
}
static void tell(const char* what) { say("%s: %ld", what, sum_of(values, COUNT * 8)); }
static void fill(int* given) {
  for (int i = 0; i < COUNT * 8; ++i) given[i] = 1000 * me + i;
}

static void messages(void) {
  const int next = (me + 1) % n, last = (me + n - 1) % n;
  int given[COUNT * 8];
  fill(given);
  MPI_Request requests[2];
  MPI_Status status;
  MPI_Message message;

  clear();
  MPI_Isend(given, COUNT, MPI_INT, next, 1, MPI_COMM_WORLD, &requests[0]);
  MPI_Recv(values, COUNT, MPI_INT, last, 1, MPI_COMM_WORLD, &status);
  MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
  tell("Recv");

  clear();
  MPI_Irecv(values + 2, COUNT, MPI_INT, last, 2, MPI_COMM_WORLD, &requests[0]);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Isend(given, COUNT, MPI_INT, next, 2, MPI_COMM_WORLD, &requests[1]);
  MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
  tell("Irecv");

  clear();
  MPI_Sendrecv(given, COUNT, MPI_INT, next, 3, values, COUNT, MPI_INT, last, 3, MPI_COMM_WORLD,
               MPI_STATUS_IGNORE);
  tell("Sendrecv");

  fill(values);
  MPI_Sendrecv_replace(values, COUNT, MPI_INT, next, 4, last, 4, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  tell("Sendrecv_replace");

  clear();
  MPI_Isend(given, COUNT, MPI_INT, next, 5, MPI_COMM_WORLD, &requests[0]);
  MPI_Mprobe(last, 5, MPI_COMM_WORLD, &message, &status);
  MPI_Mrecv(values, COUNT, MPI_INT, &message, &status);
  MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
  tell("Mrecv");

  clear();
  MPI_Recv_init(values, COUNT, MPI_INT, last, 6, MPI_COMM_WORLD, &requests[0]);
  MPI_Send_init(given + 3, COUNT, MPI_INT, next, 6, MPI_COMM_WORLD, &requests[1]);
  for (int i = 0; i < 3; ++i) {
    MPI_Startall(2, requests);
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    ++given[3];
  }
  tell("Recv_init");
  MPI_Request_free(&requests[0]);
  MPI_Request_free(&requests[1]);

  // Where each second int is received.
  MPI_Datatype each_second;
  MPI_Type_vector(COUNT, 1, 2, MPI_INT, &each_second);
  MPI_Type_commit(&each_second);
  clear();
  MPI_Sendrecv(given, COUNT, MPI_INT, next, 7, values, 1, each_second, last, 7, MPI_COMM_WORLD,
               MPI_STATUS_IGNORE);
  tell("with gaps");
  MPI_Type_free(&each_second);
}

static void collectives(void) {
  int given[COUNT * 8];
  fill(given);
  MPI_Request request;

  clear();
  if (me == 1) fill(values);
  MPI_Bcast(values, COUNT, MPI_INT, 1, MPI_COMM_WORLD);
  tell("Bcast");

  clear();
  MPI_Gather(given, COUNT, MPI_INT, values, COUNT, MPI_INT, 0, MPI_COMM_WORLD);
  tell("Gather");

  clear();
  MPI_Scatter(given, COUNT, MPI_INT, values, COUNT, MPI_INT, 2, MPI_COMM_WORLD);
  tell("Scatter");

  clear();
  MPI_Allgather(given, COUNT, MPI_INT, values, COUNT, MPI_INT, MPI_COMM_WORLD);
  tell("Allgather");

  fill(values);
  MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values, COUNT, MPI_INT, MPI_COMM_WORLD);
  tell("Allgather in place");

  clear();
  MPI_Alltoall(given, COUNT, MPI_INT, values, COUNT, MPI_INT, MPI_COMM_WORLD);
  tell("Alltoall");

  clear();
  MPI_Allreduce(given, values, COUNT, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  tell("Allreduce");

  fill(values);
  MPI_Allreduce(MPI_IN_PLACE, values, COUNT, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  tell("Allreduce in place");

  fill(values);
  MPI_Allreduce(MPI_IN_PLACE, values, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  tell("Allreduce of one");

  clear();
  MPI_Reduce(given, values, COUNT, MPI_INT, MPI_MAX, 3 % n, MPI_COMM_WORLD);
  tell("Reduce");

  clear();
  MPI_Scan(given, values, COUNT, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  tell("Scan");

  clear();
  MPI_Reduce_scatter_block(given, values, COUNT, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  tell("Reduce_scatter_block");

  clear();
  MPI_Iallreduce(given, values, COUNT, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &request);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  tell("Iallreduce");

  clear();
  MPI_Ialltoall(given, COUNT, MPI_INT, values, COUNT, MPI_INT, MPI_COMM_WORLD, &request);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  tell("Ialltoall");
}

// The parts of one datatype are in memory of both kinds: first in a variable that all have, and then
// in one of the thread's.
enum { kMany = 300000 };
static int plain[kMany];
static MPI_Datatype both_kinds(int many) {
  const int lengths[2] = {many, COUNT};
  MPI_Aint places[2];
  MPI_Datatype both;
  MPI_Get_address(plain, &places[0]);
  MPI_Get_address(values + 2, &places[1]);
  MPI_Type_create_hindexed(2, lengths, places, MPI_INT, &both);
  MPI_Type_commit(&both);
  return both;
}
static void of_both_kinds(void) {
  static int memory[kMany + COUNT];
  MPI_Win window;
  MPI_Datatype both = both_kinds(COUNT);
  fill(memory);
  MPI_Win_create(memory, sizeof memory, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &window);
  clear();
  MPI_Win_fence(0, window);
  MPI_Get(MPI_BOTTOM, 1, both, (me + 1) % n, 0, 2 * COUNT, MPI_INT, window);
  MPI_Win_fence(0, window);
  tell("Get of both kinds");
  say("%ld", sum_of(plain, COUNT));
  MPI_Type_free(&both);
  // More than is on its way at once: it waits before what is last.
  both = both_kinds(kMany);
  for (int i = 0; i < kMany; ++i) plain[i] = i + me;
  fill(values);
  MPI_Win_fence(0, window);
  MPI_Put(MPI_BOTTOM, 1, both, (me + 1) % n, 0, kMany + COUNT, MPI_INT, window);
  MPI_Win_fence(0, window);
  say("Put of both kinds: %ld", sum_of(memory, kMany + COUNT));
  MPI_Type_free(&both);
  MPI_Win_free(&window);
}

static void windows(void) {
  static int memory[COUNT * 8];
  fill(memory);
  MPI_Win window;
  MPI_Win_create(memory, sizeof memory, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &window);
  clear();
  MPI_Win_fence(0, window);
  MPI_Get(values, COUNT, MPI_INT, (me + 1) % n, 0, COUNT, MPI_INT, window);
  MPI_Win_fence(0, window);
  tell("Get");
  int one = 1;
  clear();
  MPI_Win_fence(0, window);
  MPI_Fetch_and_op(&one, values, MPI_INT, (me + 1) % n, 3, MPI_SUM, window);
  MPI_Win_fence(0, window);
  tell("Fetch_and_op");
  MPI_Win_free(&window);
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  messages();
  collectives();
  windows();
  of_both_kinds();
  MPI_Finalize();
  return 0;
}
