/* Lines that are printed in pieces, over turns of others, come out whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "turns.h"

static void at_end(void) { printf("and it ends\n"); }

int main(void) {
  const int me = my_number();
  static char long_piece[900];
  int i, k;
  memset(long_piece, 'a' + me, sizeof long_piece - 1);
  if (setvbuf(stdout, NULL, _IOFBF, 1 << 16) != 0) return 2;
  atexit(at_end);
  for (i = 0; i < 20; ++i) {
    printf("%d, line %d:", me, i);
    take_turn();
    for (k = 0; k < me + i % 3; ++k) {
      printf(" piece %d", k);
      if (k % 2 == 0) take_turn();
    }
    putchar(' ');
    take_turn();
    fputs("of it", stdout);
    if (i % 5 == me % 5) {
      putchar('\n');
      take_turn();
      printf("%d, next to %d", me, i);
      take_turn();
    }
    if (i == 7) {
      fputs(long_piece, stdout);
      take_turn();
      fwrite(" is long", 1, 8, stdout);
    }
    take_turn();
    puts(" is the end");
  }
  printf("%d, a last one", me);
  take_turn();
  printf(", which nobody ends, ");
  take_turn();
  return 0;
}
