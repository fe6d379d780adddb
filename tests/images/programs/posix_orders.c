/* POSIX's getopt ends at the first argument that is no option. */
#define _POSIX_C_SOURCE 200809L
#include "read_options.h"

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
