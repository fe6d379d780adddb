/* What wctype, wctrans and regcomp give points into tables of the locale: those lie alike in all
 * processes, whatever else these have mapped when they load them. */
#define _GNU_SOURCE
#include <locale.h>
#include <regex.h>
#include <stdio.h>
#include <sys/mman.h>
#include <wctype.h>

#include "turns.h"

int main(void) {
  const size_t bytes = (size_t)(my_number() + 1) << 20;
  void* const hole = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const char* chosen = setlocale(LC_ALL, "C.UTF-8");
  const wctype_t letters = wctype("alpha");
  const wctrans_t capitals = wctrans("toupper");
  regex_t words;
  regmatch_t at;
  const int compiled = regcomp(&words, "[[:alpha:]]+", REG_EXTENDED);
  int i;
  munmap(hole, bytes);
  printf("%d: %s, compiled %d\n", my_number(), chosen, compiled);
  for (i = 0; i < 8; ++i) {
    take_turn();
    printf("%d: %d %d, capital %x, ", my_number(), !!iswctype(0xe9, letters),
           !!iswctype('5', letters), (unsigned)towctrans(0xe9, capitals));
    take_turn();
    if (regexec(&words, "12 \xc3\xa9t\xc3\xa9 7", 1, &at, 0) == 0)
      printf("a word from %d to %d\n", (int)at.rm_so, (int)at.rm_eo);
    else
      printf("no word\n");
  }
  regfree(&words);
  return 0;
}
