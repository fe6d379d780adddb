// What the programs beside this say: each rank numbers its lines, so that their order does not
// matter.
#ifndef CHECK_H_
#define CHECK_H_

#include <mpi.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static int me, n, line;

static void say(const char* format, ...) {
  char text[400];
  va_list rest;
  va_start(rest, format);
  vsnprintf(text, sizeof text, format, rest);
  va_end(rest);
  printf("%d.%03d %s\n", me, line++, text);
  fflush(stdout);
}

static void begin(int* argc, char*** argv) {
  MPI_Init(argc, argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &me);
  MPI_Comm_size(MPI_COMM_WORLD, &n);
}

static inline long sum_of(const int* values, int count) {
  long sum = 0;
  for (int i = 0; i < count; ++i) sum = sum * 31 + values[i];
  return sum;
}

#endif
