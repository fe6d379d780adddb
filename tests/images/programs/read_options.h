/* Reads options and prints what getopt says of each, and how the arguments lie then. Included after
 * the feature macro by which libc chooses its getopt. */
#ifndef ROAM_TESTS_IMAGES_READ_OPTIONS_H_
#define ROAM_TESTS_IMAGES_READ_OPTIONS_H_

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

#endif /* ROAM_TESTS_IMAGES_READ_OPTIONS_H_ */
