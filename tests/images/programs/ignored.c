/* A signal that all virtual ranks ignore does nothing, wherever they are when it comes. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "turns.h"

/* To the process where it is now, in a while. */
static void send_later(const char* signal) {
  char order[200];
  snprintf(order, sizeof order, "(sleep 0.2; kill -%s $PPID) >/dev/null 2>&1 &", signal);
  printf("%d: sent %s: %d\n", my_number(), signal, system(order));
}
static void sleep_ms(long ms) {
  const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&pause, NULL);
}
static int is_ignored(int signal) {
  struct sigaction action;
  return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 1000);
  signal(SIGTERM, SIG_IGN);
  signal(SIGVTALRM, SIG_IGN);
  signal(SIGPOLL, SIG_IGN);
  sleep_ms(200); /* the others too */
  send_later("TERM");
  take_turn(); /* whoever goes, leaves the process to it */
  sleep_ms(400);
  send_later("VTALRM");
  take_turn();
  sleep_ms(400);
  printf("%d: still ignored: %d\n", my_number(), is_ignored(SIGTERM) && is_ignored(SIGVTALRM));
  signal(SIGPOLL, SIG_DFL);
  take_turn();
  printf("%d: not any more: %d\n", my_number(), !is_ignored(SIGPOLL));
  printf("%d: the others: %d\n", my_number(), is_ignored(SIGTERM) && is_ignored(SIGVTALRM));
  return 0;
}
