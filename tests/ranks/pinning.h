#ifndef ROAM_TESTS_RANKS_PINNING_H_
#define ROAM_TESTS_RANKS_PINNING_H_

#include <initializer_list>
#include <string_view>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"

namespace roam_test {

// The calling thread is pinned: its own migrate is refused for all of `why`, and it stays.
inline void expect_pinned(std::initializer_list<std::string_view> why) {
  const int here = roam::rank();
  expect_error(roam::Errc::pinned, why, [] { roam::this_thread::migrate(next_rank()); });
  expect_eq(roam::rank(), here, "rank after a refusal");
}

// Nothing pins the calling thread: it goes to the next rank.
inline void expect_free() {
  const int to = next_rank();
  roam::this_thread::migrate(to);
  expect_eq(roam::rank(), to, "rank of a thread that nothing pins");
}

}  // namespace roam_test

#endif  // ROAM_TESTS_RANKS_PINNING_H_
