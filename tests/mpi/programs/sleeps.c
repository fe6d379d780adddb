// sleeps SECONDS: each rank sleeps so long by another call of libc, and says whether that was so.
// Some have an alarm meanwhile that does not come.
// sleeps SECONDS RANK: that rank has one that comes after so long in the midst of its sleep.

#define _GNU_SOURCE
#include <errno.h>
#include <mpi.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

static void sleep_by(int how, int seconds) {
  const struct timespec time = {seconds, 0}, part = {0, 250000000};
  struct pollfd none = {-1, POLLIN, 0};
  struct timeval left = {seconds, 0};
  fd_set empty;
  switch (how % 10) {
    case 0:
      sleep(seconds);
      break;
    case 1:
      for (int i = 0; i < 4 * seconds; ++i) usleep(250000);
      break;
    case 2:
      nanosleep(&time, NULL);
      break;
    case 3:
      clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
      break;
    case 4:
      for (int i = 0; i < 4 * seconds; ++i) clock_nanosleep(CLOCK_REALTIME, 0, &part, NULL);
      break;
    case 6:
      poll(NULL, 0, 1000 * seconds);
      break;
    case 7:
      select(0, NULL, NULL, NULL, &left);
      break;
    case 8:
      for (int i = 0; i < 4 * seconds; ++i) ppoll(&none, 1, &part, NULL);
      break;
    case 9:
      FD_ZERO(&empty);
      pselect(9, &empty, NULL, NULL, &time, NULL);
      break;
    default:
      for (const double end = MPI_Wtime() + seconds; MPI_Wtime() < end;) {
        sched_yield();
        usleep(20000);
        nanosleep(&(struct timespec){0, 0}, NULL);
      }
  }
}

int main(int argc, char** argv) {
  int me, n, sum = 0;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &me);
  MPI_Comm_size(MPI_COMM_WORLD, &n);
  const int seconds = argc > 1 ? atoi(argv[1]) : 1;
  int kept[1000];  // on a stack that moves
  for (int i = 0; i < 1000; ++i) kept[i] = i ^ me;
  const int ends = argc > 2 ? atoi(argv[2]) : -1;
  if (me == ends) {
    alarm(seconds);
    sleep(10000);
    printf("rank %d has slept longer than its alarm\n", me);
  }
  if (me % 2 == 1) alarm(10 * seconds + 1000);
  errno = 77 + me;
  const double begin = MPI_Wtime();
  sleep_by(me, seconds);
  const double took = MPI_Wtime() - begin;
  int right = errno == 77 + me;
  for (int i = 0; i < 1000; ++i) right = right && kept[i] == (i ^ me);
  const int rest = (int)alarm(0);
  right = right && (me % 2 == 1 ? rest > 9 * seconds && rest <= 10 * seconds + 1000 : rest == 0);
  MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  printf("rank %d of %d slept %s, %s, %d\n", me, n, took > seconds - 0.001 ? "long" : "short",
         right ? "right" : "wrong", sum);
  MPI_Finalize();
  return 0;
}
