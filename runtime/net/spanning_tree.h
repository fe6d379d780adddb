#ifndef ROAM_RUNTIME_NET_SPANNING_TREE_H_
#define ROAM_RUNTIME_NET_SPANNING_TREE_H_

#include <algorithm>

namespace roam::runtime {

// The binomial tree of a job's ranks below `root`, as `rank` sees it. Counted from the root, below
// place v are v + 1, v + 2, v + 4, ..., each with as many as fit before the next.
struct SpanningTree {
  int rank, root, ranks;

  int place() const { return (rank - root + ranks) % ranks; }
  int rank_at(int place) const { return (place + root) % ranks; }
  // -1 at the root.
  int parent() const { return place() == 0 ? -1 : rank_at(place() & (place() - 1)); }
  // visit(child, end): the child and what is below it are at the places from the child's to `end`.
  template <class Visit>
  void for_each_child(Visit visit) const {
    const int v = place();
    for (int bit = 1; v + bit < ranks && (v & bit) == 0; bit *= 2)
      visit(rank_at(v + bit), std::min(v + 2 * bit, ranks));
  }
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_NET_SPANNING_TREE_H_
