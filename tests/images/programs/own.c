/* A plain program of C: each process, or virtual rank, has variables of its own of every kind. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "turns.h"

static int counter = 100;
int common_word;
static double large_zeros[20000];
static const char* const words[] = {"no", "relro", "pointers", "moved"};
const char* volatile chosen = "unset";
static _Thread_local int of_thread = 7;
static _Thread_local char text_of_thread[40] = "begin";

static int twice(int x) { return 2 * x; }
static int square(int x) { return x * x; }
static int (*functions[])(int) = {twice, square};
static int* to_counter = &counter;

static int next_number(void) {
  static int last = 1000;
  return ++last;
}

static void at_end(void) { printf("%d: at exit, counter %d\n", my_number(), counter); }

int main(int argc, char** argv) {
  const int me = my_number(), count = my_count();
  int sum = 0, i;
  char* heap = malloc(100);
  atexit(at_end);
  snprintf(heap, 100, "heap of %d", me);
  setenv("OWN", heap, 1);
  for (i = 0; i < 50; ++i) {
    *to_counter += me;
    common_word ^= me * i;
    sum += functions[i % 2](me + i);
    large_zeros[(i * 397 + me) % 20000] += i;
    chosen = words[(i + me) % 4];
    of_thread += me;
    text_of_thread[i % 30] = (char)('a' + (me + i) % 26);
    next_number();
    take_turn();
  }
  for (i = 0; i < 20000; ++i) sum += (int)large_zeros[i];
  printf("%d of %d: counter %d common %d sum %d chosen %s next %d thread %d %s env %s arg %s\n", me,
         count, counter, common_word, sum, chosen, next_number(), of_thread, text_of_thread,
         getenv("OWN"), argc > 1 ? argv[1] : "none");
  free(heap);
  return me == 3 && argc > 2 ? atoi(argv[2]) : 0;
}
