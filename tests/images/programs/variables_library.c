/* A private library, which reaches variables of libc by their addresses. */
#define _GNU_SOURCE
#include <errno.h>
#include <error.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char** __environ;
extern int __signgam;
int* const address_of_index = &optind;
char** (*const address_of_names)(void) = NULL;

const char* environment_of_library(const char* name, int* other) {
  char** line;
  *other = __environ != environ;
  for (line = environ; *line != NULL; ++line) {
    if (strncmp(*line, name, strlen(name)) == 0 && (*line)[strlen(name)] == '=')
      return *line + strlen(name) + 1;
  }
  return "none";
}
void environment_from_library(char** list) { environ = list; }
int option_of_library(int argc, char** argv, const char** argument, int* wrong) {
  const int option = getopt(argc, argv, "ab:");
  *argument = optarg;
  *wrong = optopt;
  return option;
}
int index_of_library(void) { return optind == *address_of_index ? optind : -1; }
void begin_options_of_library(int index, int print) {
  optind = index;
  opterr = print;
}
const char* name_of_library(void) { return program_invocation_short_name; }
int sign_of_library(void) { return __signgam; }
unsigned count_of_library(void) { return error_message_count; }
long zone_of_library(const char** first, const char** second) {
  *first = tzname[0];
  *second = tzname[1];
  return timezone + daylight;
}
