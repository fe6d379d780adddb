/* Options of every form, read with a turn after each, twice over. */
#include <getopt.h>
#include <stdio.h>

#include "turns.h"

static char* at;
static void read_all(int argc, char** argv) {
  static const struct option words[] = {{"number", required_argument, NULL, 'n'},
                                        {"maybe", optional_argument, NULL, 'm'},
                                        {"plain", no_argument, NULL, 'p'},
                                        {NULL, 0, NULL, 0}};
  int option;
  while ((option = getopt_long(argc, argv, "abc:d::", words, NULL)) != -1) {
    at += sprintf(at, " %c", option);
    if (optarg != NULL) at += sprintf(at, "=%s", optarg);
    if (option == '?') at += sprintf(at, "(%c)", optopt != 0 ? optopt : '-');
    at += sprintf(at, ",%d", optind);
    take_turn();
  }
  at += sprintf(at, " rest");
  for (; optind < argc; ++optind) at += sprintf(at, " %s", argv[optind]);
}

int main(int argc, char** argv) {
  char line[1000];
  int option;
  at = line;
  at += sprintf(at, "%d: %s", my_number(), argc > 1 ? "" : "none");
  opterr = 0;
  read_all(argc, argv);
  optind = 1;
  at += sprintf(at, " again");
  while ((option = getopt(argc, argv, "+abc:")) != -1) {
    at += sprintf(at, " %c", option);
    take_turn();
  }
  printf("%s %d\n", line, optind);
  return 0;
}
