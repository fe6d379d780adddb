/* Variables of libc: one and the same in the program and in a private library, and another one in
   each process. */
#define _GNU_SOURCE
#include <errno.h>
#include <error.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "turns.h"

extern char** __environ;
const char* environment_of_library(const char* name, int* other);
void environment_from_library(char** list);
int option_of_library(int argc, char** argv, const char** argument, int* wrong);
int index_of_library(void);
void begin_options_of_library(int index, int print);
const char* name_of_library(void);
int sign_of_library(void);
unsigned count_of_library(void);
long zone_of_library(const char** first, const char** second);

static char line[1000];
static char* at = line;

static void options(int argc, char** argv, int from_library) {
  const char* argument;
  int option, wrong, other_wrong = 0;
  if (from_library) begin_options_of_library(1, 0);
  else optind = 1, opterr = 0;
  take_turn();
  do {
    if (from_library) {
      option = option_of_library(argc, argv, &argument, &wrong);
      other_wrong |= wrong != optopt;
    } else {
      option = getopt(argc, argv, "ab:");
      argument = optarg;
    }
    take_turn();
    at += sprintf(at, " %d%s%s,%d", option, argument ? "=" : "", argument ? argument : "", optind);
    if (index_of_library() != optind || optarg != argument || other_wrong) at += sprintf(at, " DIFFERS");
  } while (option != -1);
}

int main(int argc, char** argv) {
  const int me = my_number();
  char text[60], *list[2] = {text, NULL}, **before = environ, name[20];
  const char *first, *second;
  int other;
  double x;
  sprintf(text, "%d", me * 11);
  setenv("MINE", text, 1);
  take_turn();
  at += sprintf(at, "%d: %s,%s", me, environment_of_library("MINE", &other), getenv("MINE"));
  at += sprintf(at, " other %d %d", other, __environ != environ);
  before = environ;
  sprintf(text, "MINE=of %d", me);
  if (me % 2 == 0) environ = list;
  else environment_from_library(list);
  take_turn();
  at += sprintf(at, " %s,%s", environment_of_library("MINE", &other), getenv("MINE"));
  environ = before;
  take_turn();
  at += sprintf(at, " %s", environment_of_library("MINE", &other));

  options(argc, argv, me % 2);
  options(argc, argv, 1 - me % 2);

  sprintf(name, "name%d", me);
  at += sprintf(at, " %s", program_invocation_short_name);
  program_invocation_short_name = name;
  take_turn();
  at += sprintf(at, " %s", name_of_library());

  x = me % 2 == 0 ? -0.5 : 0.5;
  at += sprintf(at, " gamma %.3f", lgamma(x));
  take_turn();
  at += sprintf(at, " %d %d", signgam, sign_of_library());
  at += sprintf(at, " %.3f", lgamma(-x));
  take_turn();
  at += sprintf(at, " %d %d", signgam, sign_of_library());

  error_print_progname = NULL;
  while ((int)error_message_count < me) error(0, ENOENT, "message %u", error_message_count);
  take_turn();
  at += sprintf(at, " errors %u %u", error_message_count, count_of_library());

  zone_of_library(&first, &second);
  at += sprintf(at, " zone %s %s", first, second);
  setenv("TZ", me % 2 == 0 ? "AAA-1BBB" : "CCC5", 1);
  tzset();
  take_turn();
  at += sprintf(at, " %ld", zone_of_library(&first, &second));
  at += sprintf(at, " %s %s %ld %d %s", first, second, timezone, daylight, tzname[1]);
  puts(line);
  return 0;
}
