/* Virtual rank 0 has the standard input, wherever it is when it reads, and others an empty one. The
 * input's lines are "NUMBER wordNUMBER". */
#define _GNU_SOURCE
#include <stdio.h>
#include <wchar.h>

#include "turns.h"

int main(void) {
  const int me = my_number();
  char line[64], word[64], *long_line = NULL;
  size_t room = 0;
  int i, number, c;
  for (i = 0; i < 400; ++i) {
    take_turn();
    number = -1;
    word[0] = 0;
    printf("%d: scanf %d:", me, scanf("%d %63s", &number, word));
    printf(" %d %s\n", number, word);
    take_turn();
    printf("%d: fscanf %d\n", me, fscanf(stdin, " %d", &number));
    take_turn();
    c = getchar();
    printf("%d: getchar %d", me, c);
    take_turn();
    printf(" back %d, then %d\n", ungetc(c, stdin), fgetc(stdin));
    take_turn();
    printf("%d: fgets %s\n", me, fgets(line, sizeof line, stdin) != NULL ? line : "nothing");
    take_turn();
    printf("%d: getline %d", me, (int)getline(&long_line, &room, stdin));
    printf(" %s\n", feof(stdin) ? "at the end" : long_line);
    take_turn();
    number = (int)fread(line, 1, 7, stdin);
    printf("%d: fread %.*s\n", me, number, line);
    take_turn();
    number = (int)fread(line, 2, 3, stdin);
    printf("%d: fread %.*s\n", me, 2 * number, line);
    take_turn();
    c = me == 0 ? getchar_unlocked() : getchar(); /* the former looks into the stream itself */
    printf("%d: unlocked %d, end %d, error %d\n", me, c, !!feof(stdin), !!ferror(stdin));
    while (c != '\n' && c != EOF) c = me == 0 ? getc_unlocked(stdin) : getc(stdin);
    if (c == EOF) break;
  }
  clearerr(stdin);
  printf("%d: ends after %d, %d, %d\n", me, i, !!feof(stdin), getchar());
  return 0;
}
