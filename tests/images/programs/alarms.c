/* A virtual rank has a timer of its own for SIGALRM, which goes where it goes. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "turns.h"

static void say(const char* what, long value) {
  printf("%d: %s: %ld\n", my_number(), what, value);
  take_turn();
}
static void turns(void) {
  int i;
  for (i = 0; i < 5; ++i) take_turn();
}
static void sleep_ms(long ms) {
  const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&pause, NULL);
}
static struct itimerval timer_of(long ms, long interval_ms) {
  const struct itimerval timer = {{interval_ms / 1000, interval_ms % 1000 * 1000},
                                  {ms / 1000, ms % 1000 * 1000}};
  return timer;
}
static int start(long ms, long interval_ms) {
  const struct itimerval timer = timer_of(ms, interval_ms);
  return setitimer(ITIMER_REAL, &timer, NULL);
}
static int is_pending(void) {
  sigset_t set;
  sigpending(&set);
  return sigismember(&set, SIGALRM);
}

/* What is left, and what is asked for anew. */
static void deadlines(void) {
  struct itimerval now, before, next;
  unsigned left;
  say("none", alarm(1000));
  turns();
  left = alarm(500 + (unsigned)my_number());
  say("of the first", left >= 900 && left <= 1000);
  turns();
  getitimer(ITIMER_REAL, &now);
  say("seconds", now.it_value.tv_sec >= 400 && now.it_value.tv_sec <= 500 + my_number());
  say("interval", now.it_interval.tv_sec + now.it_interval.tv_usec);
  say("one's own", labs((long)alarm(0) - 500 - my_number()) < 100);
  say("none any more", alarm(0));
  next = timer_of(300000, 250);
  say("set", setitimer(ITIMER_REAL, &next, NULL));
  turns();
  next = timer_of(0, 250);
  say("ended", setitimer(ITIMER_REAL, &next, &before));
  say("before", before.it_interval.tv_usec);
  say("before, left", before.it_value.tv_sec >= 200 && before.it_value.tv_sec < 300);
  getitimer(ITIMER_REAL, &now);
  say("left", now.it_value.tv_sec + now.it_value.tv_usec);
  say("short", ualarm(900000, 0));
  say("short, left", ualarm(0, 0) > 0);
  say("too many", setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 1000000}}, NULL) == -1 && errno == EINVAL);
  say("below 0", setitimer(ITIMER_REAL, &(struct itimerval){{0, -1}, {1, 0}}, NULL) == -1 && errno == EINVAL);
  say("another", setitimer(17, &next, NULL) == -1 && errno == EINVAL);
  say("another asked", getitimer(17, &now) == -1 && errno == EINVAL);
  say("of the processor", getitimer(ITIMER_VIRTUAL, &now) == 0 && now.it_value.tv_sec == 0);
  say("by number", syscall(SYS_alarm, 100));
  say("by number, left", syscall(SYS_getitimer, ITIMER_REAL, &now) == 0 && now.it_value.tv_sec >= 50);
  next = timer_of(0, 0);
  say("by number, ended", syscall(SYS_setitimer, ITIMER_REAL, &next, &before));
  say("by number, none", syscall(SYS_alarm, 0));
}

/* Whoever ends it ends his, wherever it was begun. */
static void cancelled(void) {
  if (my_number() % 2 == 0) start(700, 0);
  turns();
  say("ended in time", my_number() % 2 == 0 ? alarm(0) > 0 : (long)alarm(0));
  turns();
  sleep_ms(900);
  say("nothing has come", is_pending());
}

static void blocked(void) {
  sigset_t set;
  siginfo_t info;
  int signal = 0, i;
  const struct timespec no_time = {0, 0}, long_time = {100, 0};
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  start(20, 0);
  turns();
  say("waited", sigwait(&set, &signal));
  say("signal", signal);
  say("nothing left", sigtimedwait(&set, &info, &no_time) == -1 && errno == EAGAIN);
  start(20, 30);
  for (i = 0; i < 3; ++i) {
    memset(&info, 0, sizeof info);
    say("once more", sigwaitinfo(&set, &info));
    say("whose", info.si_signo);
  }
  say("going on", alarm(0) <= 1);
  sigtimedwait(&set, &info, &no_time);
  start(20, 0);
  sleep_ms(50);
  turns();
  say("kept", is_pending());
  say("taken", sigtimedwait(&set, NULL, &long_time));
  say("not kept", is_pending());
  start(20, 0);
  say("not so long", sigtimedwait(&set, NULL, &(struct timespec){0, 1000000}) == -1 && errno == EAGAIN);
  say("then it is", sigtimedwait(&set, NULL, &long_time));
  start(20, 0);
  sleep_ms(50);
  say("kept again", is_pending());
  /* Who ignores it has none. */
  signal = 0;
  sigset(SIGALRM, SIG_IGN);
  say("dropped", is_pending());
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  turns();
  start(20, 10);
  sleep_ms(60);
  say("ignored", is_pending());
  start(0, 0);
  sigset(SIGALRM, SIG_DFL);
  turns();
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 1000);
  deadlines();
  cancelled();
  blocked();
  say("end", 0);
  return 0;
}
