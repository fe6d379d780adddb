// Clean-up handlers that a C library pushes, in kernel threads of its own and in threads that move.
#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"

extern "C" long clean_up_in_c(int exits, int* sum);
extern "C" int clean_up_around(void (*call)());

namespace roam_test {
namespace {

SCENARIO(CleanUp, RunsWhenAKernelThreadExitsOrIsCancelled) {
  int sum = 0;
  expect_eq(clean_up_in_c(1, &sum), 5L, "result of one that exits");
  expect_eq(sum, 11, "its handlers");
  expect_eq(clean_up_in_c(0, &sum), -1L, "result of one that is cancelled");
  expect_eq(sum, 11, "its handlers");
}

SCENARIO(CleanUp, OfAThreadTravels) {
  expect_eq(clean_up_around([] { roam::this_thread::migrate(next_rank()); }), 3, "its handler");
  expect_eq(clean_up_around([] {}), 3, "handler of a thread that stays");
}

}  // namespace
}  // namespace roam_test
