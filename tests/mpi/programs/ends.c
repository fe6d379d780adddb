// What ends, or is told, in another way than under mpiexec. The first argument says what is done.
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

// Constants of the program are pages of its file, in the process where the virtual rank is.
#define TEN(x) x, x + 1, x + 2, x + 3, x + 4, x + 5, x + 6, x + 7, x + 8, x + 9
#define HUNDRED(x) TEN(x), TEN(x + 10), TEN(x + 20), TEN(x + 30), TEN(x + 40), TEN(x + 50), \
    TEN(x + 60), TEN(x + 70), TEN(x + 80), TEN(x + 90)
#define THOUSAND(x) HUNDRED(x), HUNDRED(x + 100), HUNDRED(x + 200), HUNDRED(x + 300), \
    HUNDRED(x + 400), HUNDRED(x + 500), HUNDRED(x + 600), HUNDRED(x + 700), HUNDRED(x + 800), \
    HUNDRED(x + 900)
static const double table[] = {THOUSAND(0), THOUSAND(1000), THOUSAND(2000), THOUSAND(3000),
                               THOUSAND(4000), THOUSAND(5000), THOUSAND(6000), THOUSAND(7000)};
enum { kCount = sizeof table / sizeof *table };

static void constants(void) {
  static double in[kCount];
  MPI_Request request;
  const int right = (me + 1) % n, left = (me + n - 1) % n;
  MPI_Isend(table, kCount, MPI_DOUBLE, right, 0, MPI_COMM_WORLD, &request);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Recv(in, kCount, MPI_DOUBLE, left, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  int wrong = memcmp(in, table, sizeof in) != 0;
  memset(in, 0, sizeof in);
  if (me == 0) memcpy(in, table, sizeof in);
  MPI_Bcast(me == 0 ? (void*)table : in, kCount, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  wrong += memcmp(in, table, sizeof in) != 0;
  say("constants: %d wrong", wrong);
}

static void matched(void) {
  const int right = (me + 1) % n, left = (me + n - 1) % n;
  MPI_Request request;
  int out[2] = {me, me + 100}, first = -1, second = -1, there = 0;
  MPI_Isend(&out[0], 1, MPI_INT, right, 5, MPI_COMM_WORLD, &request);
  MPI_Message message;
  MPI_Status status;
  while (!there) MPI_Improbe(left, 5, MPI_COMM_WORLD, &there, &message, &status);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  MPI_Isend(&out[1], 1, MPI_INT, right, 5, MPI_COMM_WORLD, &request);
  MPI_Recv(&second, 1, MPI_INT, left, 5, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  MPI_Mrecv(&first, 1, MPI_INT, &message, &status);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  say("matched: %d wrong", first != left || second != left + 100 || message != MPI_MESSAGE_NULL);
}

static void cancelled(void) {
  MPI_Status status;
  MPI_Request request;
  int value = 7, flag;
  MPI_Irecv(&value, 1, MPI_INT, MPI_ANY_SOURCE, 99, MPI_COMM_WORLD, &request);
  MPI_Cancel(&request);
  MPI_Wait(&request, &status);
  MPI_Test_cancelled(&status, &flag);
  say("cancelled: %d wrong", !flag || value != 7);
}

static void too_long(void) {
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  static int out[30000], small;
  MPI_Request request;
  int wrong = 0;
  for (int count = 3; count <= 30000; count *= 100) {
    int class, last = 9, in = -1;
    MPI_Isend(out, count, MPI_INT, (me + 1) % n, 1, MPI_COMM_WORLD, &request);
    const int error =
        MPI_Recv(&small, 1, MPI_INT, (me + n - 1) % n, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Error_class(error, &class);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    // What comes behind is received as ever.
    MPI_Sendrecv(&last, 1, MPI_INT, (me + 1) % n, 1, &in, 1, MPI_INT, (me + n - 1) % n, 1,
                 MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    wrong += class != MPI_ERR_TRUNCATE || in != 9;
  }
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_ARE_FATAL);
  say("too long: %d wrong", wrong);
}

// Nothing of it is waited for: the program ends all the same.
static void left(void) {
  static int in[4000], out[4000];
  MPI_Request requests[2];
  MPI_Irecv(in, 4000, MPI_INT, (me + 1) % n, 77, MPI_COMM_WORLD, &requests[0]);
  MPI_Isend(out, 4000, MPI_INT, (me + 1) % n, 78, MPI_COMM_WORLD, &requests[1]);
  say("left: 0 wrong");
}

static void buffered(void) {
  char buffer[400 + MPI_BSEND_OVERHEAD];
  int out[100] = {me}, in[100], wrong = 0;
  MPI_Buffer_attach(buffer, sizeof buffer);
  for (int i = 0; i < 20; ++i) {
    MPI_Bsend(out, 100, MPI_INT, me, 0, MPI_COMM_WORLD);
    MPI_Recv(in, 100, MPI_INT, me, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    wrong += in[0] != me;
  }
  void* detached;
  int bytes;
  MPI_Buffer_detach(&detached, &bytes);
  say("buffered: %d wrong", wrong || detached != buffer);
}

// Asks its own window, by requests only, for what another one has still to bring.
static void asked(void) {
  static int flag;
  MPI_Win window;
  MPI_Request request;
  int seen = 0;
  flag = 0;
  MPI_Win_create(&flag, sizeof flag, sizeof flag, MPI_INFO_NULL, MPI_COMM_WORLD, &window);
  MPI_Win_lock_all(0, window);
  if (me == 1)
    MPI_Accumulate(&(int){9}, 1, MPI_INT, 0, 0, 1, MPI_INT, MPI_REPLACE, window);
  while (me == 0 && seen == 0) {
    MPI_Rget(&seen, 1, MPI_INT, 0, 0, 1, MPI_INT, window, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
  }
  MPI_Win_unlock_all(window);
  MPI_Win_free(&window);
  say("asked: %d wrong", me == 0 && seen != 9);
}

// What an access with a request has failed of is told to its window; its communicator's errors are
// fatal.
static void fetched(void) {
  MPI_Win window;
  MPI_Request request;
  MPI_Status status;
  int room = 1, got = 3, class = -1, done = 0, wrong;
  MPI_Win_create(&room, sizeof room, sizeof room, MPI_INFO_NULL, MPI_COMM_WORLD, &window);
  MPI_Win_set_errhandler(window, MPI_ERRORS_RETURN);
  MPI_Win_lock_all(0, window);
  MPI_Rget(&got, 1, MPI_INT, (me + 1) % n, 5, 1, MPI_INT, window, &request);
  MPI_Error_class(MPI_Wait(&request, &status), &class);
  wrong = class != MPI_ERR_RMA_RANGE || got != 3 || request != MPI_REQUEST_NULL;
  MPI_Rget(&got, 1, MPI_INT, (me + 1) % n, 5, 1, MPI_INT, window, &request);
  class = MPI_SUCCESS;
  while (!done && class == MPI_SUCCESS) {
    const int error = MPI_Test(&request, &done, &status);
    MPI_Error_class(error, &class);
  }
  wrong += class != MPI_ERR_RMA_RANGE;
  MPI_Win_unlock_all(window);
  MPI_Win_free(&window);
  say("fetched: %d wrong", wrong);
}

// A kernel thread that libc makes for the program is none that may call MPI.
static void from_libc(union sigval value) {
  int rank;
  (void)value;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
}
static void call_from_libc(void) {
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_THREAD};
  const struct itimerspec soon = {.it_value = {.tv_nsec = 1000000}};
  event.sigev_notify_function = from_libc;
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) MPI_Abort(MPI_COMM_WORLD, 9);
  timer_settime(timer, 0, &soon, NULL);
  sleep(30);
}

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "early") == 0) MPI_Barrier(MPI_COMM_WORLD);
  begin(&argc, &argv);
  if (strcmp(what, "right") == 0) {
    constants();
    matched();
    cancelled();
    too_long();
    buffered();
    left();
    asked();
    fetched();
  }
  if (strcmp(what, "abort") == 0 && me == 1) MPI_Abort(MPI_COMM_WORLD, 7);
  if (strcmp(what, "abort256") == 0 && me == 1) MPI_Abort(MPI_COMM_WORLD, 256);
  if (strcmp(what, "exit") == 0 && me == 1) exit(0);
  if (strcmp(what, "crash") == 0 && me == 1) *(volatile int*)8 = 1;
  if (strcmp(what, "rank") == 0 && me == 1) MPI_Send(&me, 1, MPI_INT, n, 0, MPI_COMM_WORLD);
  if (strcmp(what, "from_libc") == 0 && me == 1) call_from_libc();
  if (strcmp(what, "missing") == 0) {
    char port[MPI_MAX_PORT_NAME];
    MPI_Open_port(MPI_INFO_NULL, port);
  }
  if (strcmp(what, "constant") == 0) {
    static const double numbers[4] = {1, 2, 3, 4};
    MPI_Win window;
    MPI_Win_create((void*)numbers, sizeof numbers, 8, MPI_INFO_NULL, MPI_COMM_WORLD, &window);
  }
  if (strcmp(what, "order") == 0) {
    MPI_Comm other;
    int sum;
    MPI_Comm_dup(MPI_COMM_WORLD, &other);
    MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, me == 0 ? other : MPI_COMM_WORLD);
    MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, me == 0 ? MPI_COMM_WORLD : other);
  }
  if (strcmp(what, "deadlock") == 0)
    MPI_Recv(&me, 1, MPI_INT, (me + 1) % n, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  // The others wait for who has ended.
  if (strcmp(what, "right") != 0) MPI_Barrier(MPI_COMM_WORLD);
  MPI_Finalize();
  return strcmp(what, "status") == 0 && me == 2 ? 5 : 0;
}
