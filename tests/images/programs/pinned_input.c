/* Who cannot leave its rank reads too, and is answered what it asks of its input. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "turns.h"

int main(int argc, char** argv) {
  const int me = my_number();
  char text[300];
  struct pollfd one = {0, POLLIN, 0};
  struct stat state;
  FILE* file;
  int i, got, have, ended;
  take_turn();
  file = fopen("/dev/null", "r");
  for (i = 0; i < 20; ++i) {
    take_turn();
    printf("%d: terminal %d, error %d, flags %d, state %d, ready %d\n", me, isatty(0), ferror(stdin),
           fcntl(0, F_GETFD), fstat(0, &state), poll(&one, 1, 60000));
    for (have = 0; have < 100 + i; have += got) { /* a launcher gives it in pieces */
      got = (int)read(0, text + have, (size_t)(100 + i - have));
      if (got <= 0) break;
    }
    printf("%d: read %.*s\n", me, have, text);
  }
  if (argc > 1 && strcmp(argv[1], "stream") == 0) printf("%d: %d\n", me, getchar());
  fclose(file);
  take_turn();
  for (i = 0; i < 20 && (ended = fgetc(stdin)) != EOF; ++i) take_turn();
  take_turn();
  printf("%d: %d, at the end %d\n", me, i, !!feof(stdin));
  clearerr(stdin);
  printf("%d: not any more %d, %d\n", me, !!feof(stdin), ungetc(EOF, stdin));
  take_turn();
  printf("%d: %d, ", me, getchar() == EOF);
  rewind(stdin); /* as a pipe it cannot */
  if (me != 0) printf("%d", !!feof(stdin));
  printf("\n");
  return 0;
}
