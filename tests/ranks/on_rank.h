#ifndef ROAM_TESTS_RANKS_ON_RANK_H_
#define ROAM_TESTS_RANKS_ON_RANK_H_

#include <utility>

#include "roam/roam.h"

namespace roam_test {

// Runs `body` in a thread on `rank`, waits for it, and rethrows what escapes from it.
template <class Body>
void on_rank(int rank, Body body) {
  roam::spawn(roam::SpawnOptions{.name = "on_rank", .rank = rank}, std::move(body)).join();
}

inline int next_rank() { return (roam::rank() + 1) % roam::ranks(); }

// Lets other threads run until `condition()` holds, which one of them must bring about.
template <class Condition>
void yield_until(Condition condition) {
  while (!condition()) roam::this_thread::yield();
}

// Another rank of the caller's node, or the caller's own if there is none.
inline int neighbour() {
  for (int r = 0; r < roam::ranks(); ++r) {
    if (r != roam::rank() && roam::node_of(r) == roam::node()) return r;
  }
  return roam::rank();
}

// A rank of another node, or the next rank if there is one node only.
inline int stranger() {
  for (int r = 0; r < roam::ranks(); ++r) {
    if (roam::node_of(r) != roam::node()) return r;
  }
  return next_rank();
}

}  // namespace roam_test

#endif  // ROAM_TESTS_RANKS_ON_RANK_H_
