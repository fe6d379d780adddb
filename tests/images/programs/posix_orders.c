/* POSIX's getopt ends at the first argument that is no option. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "turns.h"

static char texts[7][8];
static char* words[8];

static void fill(const char* const* from, int count) {
  int i;
  for (i = 0; i < count; ++i) words[i] = strcpy(texts[i], from[i]);
  words[count] = NULL;
}

static void read_all(const char* what, const char* letters, int count, int calls) {
  int i;
  for (i = 0; i < calls; ++i) {
    const int option = getopt(count, words, letters);
    take_turn();
    printf("%d: %s %d: %d %s, at %d\n", my_number(), what, i, option,
           option > 0 && optarg != NULL ? optarg : "-", optind);
    if (option == -1) break;
  }
  for (i = 0; i < count; ++i) printf("%d: %s has %d: %s\n", my_number(), what, i, words[i]);
}

int main(void) {
  static const char* const mixed[] = {"p", "file", "-a", "x", "-bv", "y"};
  static const char* const options[] = {"p", "-a", "-bv", "x", "-a", "y"};
  fill(options, 6);
  read_all("options", "ab:", 6, 8);
  fill(mixed, 6);
  optind = 1;
  read_all("mixed", "ab:", 6, 8);
  return 0;
}
