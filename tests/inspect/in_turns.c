/* A virtual rank stops in the debugger while others wait in the midst of functions. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static volatile int own_number = -1;

__attribute__((noinline)) static void wait_in_program(int depth) {
  if (depth > 0) {
    wait_in_program(depth - 1);
    __asm__ volatile("");
    return;
  }
  for (;;) sched_yield();
}

__attribute__((noinline)) static void stop_in_program(void) {
  int i;
  for (i = 0; i < 5; ++i) sched_yield(); /* the others wait by now */
  raise(SIGTRAP);
  __asm__ volatile("");
}

int main(void) {
  own_number = 100 + atoi(getenv("ROAM_VIRTUAL_RANK"));
  if (atoi(getenv("ROAM_VIRTUAL_RANK")) != 0) wait_in_program(3);
  stop_in_program();
  return 0;
}
