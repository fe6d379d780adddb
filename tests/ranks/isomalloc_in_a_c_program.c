/* A C program of one process that knows isomalloc alone. */
#include <roam/converse.h>
#include <stdio.h>

int isomalloc_from_c(void);
extern const char* isomalloc_from_c_failure;

int main(void) {
  if (isomalloc_from_c() != 0) {
    fprintf(stderr, "%s\n", isomalloc_from_c_failure);
    return 1;
  }
  return 0;
}
