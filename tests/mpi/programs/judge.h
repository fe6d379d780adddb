// For programs that say themselves what a call had to give.
#ifndef ROAM_TESTS_MPI_PROGRAMS_JUDGE_H_
#define ROAM_TESTS_MPI_PROGRAMS_JUDGE_H_

#include "check.h"

static int wrong;
__attribute__((unused)) static void expect(int right, const char* what, long seen) {
  if (right) return;
  ++wrong;
  say("wrong: %s (%ld)", what, seen);
}
__attribute__((unused)) static void is(int wanted, int code, const char* what) {
  int class;
  MPI_Error_class(code, &class);
  if (class == wanted) return;
  ++wrong;
  say("wrong: %s: class %d, and %d is right", what, class, wanted);
}
#define IS(wanted, call) is(wanted, call, #call)

#endif  // ROAM_TESTS_MPI_PROGRAMS_JUDGE_H_
