// Requests of the program's own, among those of messages, in all calls that wait and test.
#include "check.h"

#include <string.h>

typedef struct {
  int number, asked, freed, cancelled;
} Own;

static int query(void* extra, MPI_Status* status) {
  Own* own = extra;
  ++own->asked;
  MPI_Status_set_elements(status, MPI_INT, own->number + 1);
  MPI_Status_set_cancelled(status, own->cancelled != 0);
  status->MPI_SOURCE = own->number;
  status->MPI_TAG = 100 + own->number;
  return MPI_SUCCESS;
}
static int release(void* extra) {
  ++((Own*)extra)->freed;
  return MPI_SUCCESS;
}
static int cancel(void* extra, int complete) {
  ((Own*)extra)->cancelled += complete ? 10 : 1;
  return MPI_SUCCESS;
}
static int refuse(void* extra, MPI_Status* status) {
  query(extra, status);
  return MPI_ERR_FILE;
}

static void tell(const char* where, const MPI_Status* status) {
  int count, cancelled;
  MPI_Get_count(status, MPI_INT, &count);
  MPI_Test_cancelled(status, &cancelled);
  say("%s: source %d tag %d count %d cancelled %d", where, status->MPI_SOURCE, status->MPI_TAG,
      count, cancelled);
}
static void start(Own* own, int number, MPI_Request* request) {
  memset(own, 0, sizeof *own);
  own->number = number;
  MPI_Grequest_start(query, release, cancel, own, request);
}

static void one(void) {
  Own own;
  MPI_Request request;
  MPI_Status status;
  int flag;
  start(&own, 3, &request);
  MPI_Test(&request, &flag, &status);
  say("not yet: %d asked %d", flag, own.asked);
  MPI_Cancel(&request);
  MPI_Grequest_complete(request);
  MPI_Request_get_status(request, &flag, &status);
  tell("status", &status);
  say("still there: %d freed %d", request != MPI_REQUEST_NULL, own.freed);
  MPI_Wait(&request, &status);
  tell("wait", &status);
  say("gone: %d asked %d freed %d", request == MPI_REQUEST_NULL, own.asked, own.freed);
}

static void several(void) {
  Own own[3];
  MPI_Request requests[4];
  MPI_Status statuses[4];
  int indexes[4], count, index, flag, got = 0, sent = me;
  for (int i = 0; i < 3; ++i) start(&own[i], i, &requests[i]);
  MPI_Irecv(&got, 1, MPI_INT, (me + 1) % n, 5, MPI_COMM_WORLD, &requests[3]);
  MPI_Testall(4, requests, &flag, statuses);
  say("all: %d", flag);
  MPI_Grequest_complete(requests[1]);
  MPI_Testany(3, requests, &index, &flag, statuses);
  say("any: %d %d", index, flag);
  tell("any", statuses);
  MPI_Grequest_complete(requests[0]);
  MPI_Waitsome(3, requests, &count, indexes, statuses);
  say("some: %d %d", count, indexes[0]);
  tell("some", statuses);
  MPI_Grequest_complete(requests[2]);
  MPI_Send(&sent, 1, MPI_INT, (me + n - 1) % n, 5, MPI_COMM_WORLD);
  MPI_Waitall(4, requests, statuses);
  tell("all 2", &statuses[2]);
  tell("all 3", &statuses[3]);
  say("got %d; freed %d %d %d", got, own[0].freed, own[1].freed, own[2].freed);
}

// What is given back before it is done, and a function that says that it went wrong.
static void ends(void) {
  Own own;
  MPI_Request request, copy;
  MPI_Status status;
  int class, error;
  start(&own, 7, &request);
  copy = request;
  MPI_Request_free(&request);
  say("given back: %d", request == MPI_REQUEST_NULL);
  MPI_Grequest_complete(copy);
  say("done: freed %d asked %d", own.freed, own.asked);

  memset(&own, 0, sizeof own);
  MPI_Grequest_start(refuse, release, cancel, &own, &request);
  MPI_Grequest_complete(request);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  error = MPI_Wait(&request, &status);
  MPI_Error_class(error, &class);
  say("refused: %d, freed %d, gone %d", class == MPI_ERR_FILE, own.freed,
      request == MPI_REQUEST_NULL);
}

static int lose(void* extra) {
  ++((Own*)extra)->freed;
  return MPI_ERR_OTHER;
}

// A function that frees one fails: statuses say of which, whatever they had before. (MPICH's
// MPI_Testall does not say so.)
static void fails_when_freed(int way) {
  Own own[2];
  MPI_Request requests[2];
  MPI_Status statuses[2];
  int indexes[2], count = 2, class, classes[2], error = MPI_SUCCESS;
  for (int i = 0; i < 2; ++i) {
    memset(&own[i], 0, sizeof own[i]);
    MPI_Grequest_start(query, i == 1 ? lose : release, cancel, &own[i], &requests[i]);
    MPI_Grequest_complete(requests[i]);
    statuses[i].MPI_ERROR = 77;
  }
  if (way == 0) error = MPI_Waitall(2, requests, statuses);
  if (way == 1) error = MPI_Waitsome(2, requests, &count, indexes, statuses);
  if (way == 2) error = MPI_Testsome(2, requests, &count, indexes, statuses);
  MPI_Error_class(error, &class);
  for (int i = 0; i < 2; ++i) MPI_Error_class(statuses[i].MPI_ERROR, &classes[i]);
  say("way %d: in statuses %d, of %d: success %d, other %d", way, class == MPI_ERR_IN_STATUS, count,
      classes[0] == MPI_SUCCESS, classes[1] == MPI_ERR_OTHER);
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  one();
  several();
  ends();
  for (int way = 0; way < 3; ++way) fails_when_freed(way);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Finalize();
  return 0;
}
