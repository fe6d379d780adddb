// Sums are rounded as their members round, wherever they are added: on this rank or on another one, or at
// the target of an access.
#include <fenv.h>
#include <float.h>
#include <xmmintrin.h>

#include "judge.h"

enum { kFlushToZero = 0x8000, kDenormalsAreZeros = 0x40 };
// What the first and the last member give; the others give 0, so that the order does not matter.
static const struct {
  const char* name;
  int rounding, flushes;
  double first, second, wanted;
} cases[] = {
    {"to nearest", FE_TONEAREST, 0, 1, 0x1p-60, 1},
    {"upward", FE_UPWARD, 0, 1, 0x1p-60, 1 + DBL_EPSILON},
    {"downward", FE_DOWNWARD, 0, 1, -0x1p-60, 1 - DBL_EPSILON / 2},
    {"toward zero", FE_TOWARDZERO, 0, -1, 0x1p-60, -1 + DBL_EPSILON / 2},
    {"small ones stay", FE_TONEAREST, 0, 0x1p-1030, 0x1p-1030, 0x1p-1029},
    {"small ones are zero", FE_TONEAREST, 1, 0x1p-1030, 0x1p-1030, 0},
};
enum { kCases = sizeof cases / sizeof cases[0], kForms = 8 };
static const char* const kNames[kForms] = {"allreduce",     "iallreduce", "reduce",     "scan",
                                           "allreduce_init", "accumulate", "fetch_and_op", "allreduce of long doubles"};

static int modes_of_start;
static void set_modes(int i) {
  modes_of_start = (int)_mm_getcsr();
  fesetround(cases[i].rounding);
  if (cases[i].flushes) _mm_setcsr(_mm_getcsr() | kFlushToZero | kDenormalsAreZeros);
}
static void restore_modes(void) {
  fesetround(FE_TONEAREST);
  _mm_setcsr((unsigned)modes_of_start);
}

static void judge(int i, int form, int matters, double seen) {
  if (!matters || seen == cases[i].wanted) return;
  char what[120];
  snprintf(what, sizeof what, "%s %s: %a, and %a is right", kNames[form], cases[i].name, seen, cases[i].wanted);
  expect(0, what, form);
}

static void reduce(int i, int form) {
  const double mine = me == 0 ? cases[i].first : me == n - 1 ? cases[i].second : 0;
  const MPI_Comm world = MPI_COMM_WORLD;
  double sum = -3;
  MPI_Request r = MPI_REQUEST_NULL;
  set_modes(i);
  switch (form) {
    case 0: MPI_Allreduce(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, world); break;
    case 1: MPI_Iallreduce(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, world, &r); break;
    case 2: MPI_Reduce(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, 0, world); break;
    case 3: MPI_Scan(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, world); break;
    default: MPI_Allreduce_init(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, world, MPI_INFO_NULL, &r); MPI_Start(&r);
  }
  MPI_Wait(&r, MPI_STATUS_IGNORE);
  restore_modes();
  if (r != MPI_REQUEST_NULL) MPI_Request_free(&r);
  judge(i, form, form == 2 ? me == 0 : form == 3 ? me == n - 1 : 1, sum);
}

static void access(int i, int form) {
  double word = cases[i].first, was;
  MPI_Win window;
  MPI_Win_create(&word, sizeof word, sizeof word, MPI_INFO_NULL, MPI_COMM_WORLD, &window);
  MPI_Win_fence(0, window);
  set_modes(i);
  if (form == 5) {
    MPI_Accumulate(&cases[i].second, 1, MPI_DOUBLE, (me + 1) % n, 0, 1, MPI_DOUBLE, MPI_SUM, window);
  } else {
    MPI_Fetch_and_op(&cases[i].second, &was, MPI_DOUBLE, (me + 1) % n, 0, MPI_SUM, window);
  }
  restore_modes();
  MPI_Win_fence(0, window);
  MPI_Win_free(&window);
  judge(i, form, 1, word);
}

// x87 has modes of its own.
static void long_doubles(void) {
  const long double mine = me == 0 ? 1 : me == n - 1 ? 0x1p-90L : 0;
  long double sum = -1;
  set_modes(1);
  MPI_Allreduce(&mine, &sum, 1, MPI_LONG_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  restore_modes();
  expect(sum == 1 + LDBL_EPSILON, kNames[7], sum > 1);
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  for (int i = 0; i < kCases; ++i) {
    for (int form = 0; form < 5; ++form) reduce(i, form);
    for (int form = 5; form < 7; ++form) access(i, form);
    // Those of the rank are not changed.
    MPI_Barrier(MPI_COMM_WORLD);
    expect(fegetround() == FE_TONEAREST, cases[i].name, fegetround());
  }
  long_doubles();
  MPI_Barrier(MPI_COMM_WORLD);
  say("end: %d wrong", wrong);
  MPI_Finalize();
  return 0;
}
