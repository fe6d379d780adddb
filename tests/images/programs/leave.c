/* Each of eight ends in another way, after it has asked for calls at its end of every kind. */
#define _GNU_SOURCE
#include <argp.h>
#include <err.h>
#include <errno.h>
#include <error.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "turns.h"

const char* argp_program_version = "version of a test";
static pthread_key_t key;

/* In one piece: others print between turns. */
static void say(const char* what, int number) {
  char line[100];
  const int n = snprintf(line, sizeof line, "%d: %s %d\n", my_number(), what, number);
  fwrite(line, 1, (size_t)n, stdout);
  take_turn();
}

static void first(void) { say("asked for first", 0); }
static void with_status(int status, void* number) { say("on exit", status * 1000 + *(int*)number); }
static void that_exits(void) {
  say("at exit calls exit", 0);
  if (my_number() == 1) exit(71);
}
static void last(void) { say("asked for last", 0); }
static void of_key(void* value) { say("of the key", *(int*)value); }
static void clean(void* number) { say("clean up", *(int*)number); }
static void fork_call(void) { say("never", 0); }
__attribute__((destructor(200))) static void final_one(void) { say("final", 1); }
__attribute__((destructor(300))) static void final_that_exits(void) {
  say("final calls exit", 2);
  if (my_number() == 2) exit(72);
}

static void leave_deep(int level) {
  int number = level;
  pthread_cleanup_push(clean, &number);
  take_turn();
  if (level == 3) pthread_exit(&number);
  leave_deep(level + 1);
  pthread_cleanup_pop(1);
}

int main(int argc, char** argv) {
  static int number = 5;
  const int me = my_number();
  struct argp parser;
  char wrong[] = "--wrong", version[] = "--version";
  char* arguments[] = {argv[0], me == 5 ? wrong : version, NULL};
  (void)argc;
  memset(&parser, 0, sizeof parser);
  atexit(first);
  on_exit(with_status, &number);
  atexit(that_exits);
  atexit(last);
  if (pthread_atfork(fork_call, fork_call, fork_call) != 0) return 1;
  if (pthread_key_create(&key, of_key) != 0) return 1;
  pthread_setspecific(key, &number);
  take_turn();
  say("before", me);
  switch (me) {
    case 0: leave_deep(0); break;
    case 1: return 17;
    case 2: return 0;
    case 3: errno = EACCES; err(73, "err of %d", me);
    case 4: error(74, ENOENT, "error of %d", me); break;
    case 5: argp_err_exit_status = 75; /* falls through */
    case 6: argp_parse(&parser, 2, arguments, 0, NULL, NULL); break;
    default: fflush(stdout); quick_exit(76);
  }
  return 1;
}
