#ifndef ROAM_TESTS_SURVIVE_CASES_LIKE_NEW_H_
#define ROAM_TESTS_SURVIVE_CASES_LIKE_NEW_H_

#include "tests/support/check.h"
#include "tests/support/random.h"
#include "tests/survive/mover.h"

namespace roam_test {

// Makes an object with `make(rng)`, moves, and compares it with one made afresh from the same seed;
// then changes both with `change(object, rng)`, moves again and compares again: what was allocated
// on one rank is grown and freed on another.
template <class Make, class Change>
void expect_like_new(Mover& move, Make make, Change change) {
  Random rng(move.seed());
  auto moved = make(rng);
  move();
  Random rng_again(move.seed());
  auto fresh = make(rng_again);
  expect(moved == fresh, "it equals one that did not move");
  change(moved, rng);
  move();
  change(fresh, rng_again);
  expect(moved == fresh, "changed after the move, it equals one that did not move");
}

}  // namespace roam_test

#endif  // ROAM_TESTS_SURVIVE_CASES_LIKE_NEW_H_
