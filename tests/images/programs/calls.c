/* Functions of C that keep something between calls, with a turn between any two. */
#include <pthread.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "turns.h"

static unsigned long mixed;
static char line[400]; /* whole when it is printed: others print between turns */
static char* at = line;
static void mix(unsigned long value) {
  mixed = mixed * 1000003 + value;
  take_turn();
}

int main(void) {
  const int me = my_number();
  unsigned short words[3] = {1, 2, 3}, parameters[7] = {1, 2, 3, 4, 5, 6, 7};
  char text[] = "one two,three  four;five", own_state[64];
  const time_t day = 86400L * (100 + me);
  const char* old_state;
  struct tm *first, *second;
  char* word;
  pthread_key_t key, other_key;
  int i;
  if (me % 2 == 0) pthread_key_create(&other_key, NULL);
  if (pthread_key_create(&key, NULL) != 0 || pthread_getspecific(key) != NULL) return 1;
  pthread_setspecific(key, line + me);
  for (i = 0; i < 10; ++i) mix((unsigned long)rand());
  srand((unsigned)me);
  for (i = 0; i < 10; ++i) mix((unsigned long)rand() + (unsigned long)random());
  old_state = initstate((unsigned)me + 7, own_state, sizeof own_state);
  for (i = 0; i < 10; ++i) mix((unsigned long)random());
  setstate((char*)old_state);
  for (i = 0; i < 10; ++i) mix((unsigned long)random());
  for (i = 0; i < 5; ++i) mix((unsigned long)(1e9 * drand48()));
  srand48(me);
  for (i = 0; i < 5; ++i) {
    mix((unsigned long)(1e9 * drand48()));
    mix((unsigned long)lrand48());
    mix((unsigned long)mrand48());
    mix((unsigned long)(1e9 * erand48(words)));
    mix((unsigned long)nrand48(words));
    mix((unsigned long)jrand48(words));
  }
  parameters[1] = (unsigned short)me;
  lcong48(parameters);
  for (i = 0; i < 5; ++i) mix((unsigned long)lrand48());
  mix(seed48(words)[0]);
  for (i = 0; i < 5; ++i) mix((unsigned long)lrand48());
  at += sprintf(at, "%d: mixed %lu words", me, mixed);
  text[me % 3] = ' ';
  for (word = strtok(text, " ,;"); word != NULL; word = strtok(NULL, " ,;")) {
    at += sprintf(at, " %s", word);
    mix(1);
  }
  mix((unsigned long)((char*)pthread_getspecific(key) - line));
  first = gmtime(&day);
  mix(1);
  at += sprintf(at, " day %d of %d", first->tm_yday, first->tm_year);
  second = localtime(&day);
  mix(1);
  at += sprintf(at, " %s %.24s", first == second ? "one result" : "two results", asctime(second));
  printf("%s %.24s\n", line, ctime(&day));
  fflush(stdout);
  printf("%d: ", me);
  printf("%d bytes wait for the end of the line\n", (int)__fpending(stdout));
  return 0;
}
