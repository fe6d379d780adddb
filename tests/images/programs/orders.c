/* Whether options are looked for behind other arguments: the first letter of getopt's says so, and libc
 * goes by that of the first call until optind is 0. */
#define _GNU_SOURCE
#include <getopt.h>

#include "read_options.h"

int main(void) {
  static const char* const mixed[] = {"p", "file", "-a", "x", "-bv", "y"};
  static const char* const others[] = {"q", "-a", "w", "-a"};
  static const struct option long_ones[] = {{"all", no_argument, NULL, 'A'}, {NULL, 0, NULL, 0}};
  static const char* const first[] = {"+ab:", "-ab:", "ab:"};
  int i;
  for (i = 0; i < 3; ++i) {
    const int order = (my_number() + i) % 3;
    fill(mixed, 6);
    optind = i == 0 ? 1 : 0;
    read_all(first[order], first[order], 6, 8);
    fill(others, 4); /* in the order of the first */
    optind = 1;
    read_all("others", my_number() % 2 == 0 ? "a" : "+a", 4, 8);
  }
  fill(mixed, 6);
  optind = 0;
  for (i = 0; i < 5; ++i) {
    const int option = getopt_long(6, words, "-ab:", long_ones, NULL);
    take_turn();
    printf("%d: long %d: %d %s\n", my_number(), i, option, option == 1 ? optarg : "-");
  }
  return 0;
}
