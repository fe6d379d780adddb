#ifndef ROAM_RUNTIME_BALANCE_RANK_TREE_H_
#define ROAM_RUNTIME_BALANCE_RANK_TREE_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <unordered_map>
#include <vector>

#include "runtime/balance/load_table.h"

namespace roam::balance {

// What a strategy keeps of each rank while it decides: load given to it so far, and memory left. A
// binary tree whose leaves are the ranks, those of a node side by side; each inner vertex knows the
// extremes below it. So the best of 65,536 ranks for a thread, in all or on one node, is found
// along a few paths.
class RankTree {
 public:
  // Ranks that stand side by side in the tree.
  struct Span {
    std::size_t begin, end;
  };

  // What a thread takes where it is: its own bytes, and a block that it may share with others.
  struct Need {
    Need(std::uint64_t own_bytes) : bytes(own_bytes) {}                           // NOLINT
    Need(const ThreadLoad& thread) : bytes(thread.bytes), block(thread.block) {}  // NOLINT
    std::uint64_t bytes;
    std::int32_t block = -1;
  };

  // Every rank has the memory that `table` leaves it, its threads being where they are; and no
  // load.
  explicit RankTree(const LoadTable& table);

  double load_s(std::int32_t rank) const { return leaf(rank).load_s; }
  double speed(std::int32_t rank) const { return leaf(rank).speed; }
  // Seconds that the rank computes.
  double time_s(std::int32_t rank) const { return leaf(rank).load_s / leaf(rank).speed; }

  // The same with `load_s` more.
  double end_s(std::int32_t rank, double load_s) const {
    return (leaf(rank).load_s + load_s) / leaf(rank).speed;
  }

  // Adds to a rank's load; `load_s` may be negative.
  void add_load(std::int32_t rank, double load_s);
  // The same, but earliest() and busiest() do not know of it before refresh().
  void add_load_later(std::int32_t rank, double load_s) {
    leaves_[leaf_of_[static_cast<std::size_t>(rank)]].load_s += load_s;
  }
  void refresh();
  // Adds the loads of all threads of `table`, or of those that cannot move, where they are.
  //
  // Cost: O(threads + ranks).
  void add_loads(const LoadTable& table);
  void add_fixed(const LoadTable& table);
  // Whether a thread that needs `need` may come to `rank`.
  bool has_room(std::int32_t rank, const Need& need) const {
    const std::uint64_t bytes = bytes_more(leaf_of_[static_cast<std::size_t>(rank)], need);
    return bytes == 0 || leaf(rank).room >= bytes;
  }
  // Takes what a thread needs from `to` and gives it back to `from`. REQUIRES: has_room(to, need).
  void move_bytes(std::int32_t from, std::int32_t to, const Need& need);

  Span everywhere() const { return {0, rank_at_.size()}; }
  // The ranks of the node of `rank`.
  Span node_of(std::int32_t rank) const { return node_[leaf_of_[static_cast<std::size_t>(rank)]]; }

  // The rank of `within` that would be through first if it had `load_s` more and has room for
  // `need`; -1 if none has. Exact where ranks are equally fast and none is full; else the best
  // that is found among kMostVertices.
  std::int32_t earliest(double load_s, const Need& need, Span within) const;
  // The rank that is through last.
  std::int32_t busiest() const;

 private:
  static constexpr int kMostVertices = 256;  // ends a search among unequal or almost full ranks
  static constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

  struct Leaf {
    double load_s = 0;
    double speed = 1;
    std::uint64_t over = 0;  // bytes above the limit at the start, paid back before there is room
    std::uint64_t room = 0;  // bytes
  };
  struct Vertex {
    double least_s = std::numeric_limits<double>::infinity();  // of time_s
    double most_s = -1;
    double speed = 1;        // the highest
    std::uint64_t room = 0;  // the most
  };
  struct Search;

  const Leaf& leaf(std::int32_t rank) const {
    return leaves_[leaf_of_[static_cast<std::size_t>(rank)]];
  }
  // What the rank at `leaf` would have more with `need`.
  std::uint64_t bytes_more(std::size_t leaf, const Need& need) const {
    return need.block < 0 || sharers_.contains(sharing(leaf, need.block))
               ? need.bytes
               : need.bytes + block_bytes_[static_cast<std::size_t>(need.block)];
  }
  static std::uint64_t sharing(std::size_t leaf, std::int32_t block) {
    return leaf << 32 | static_cast<std::uint32_t>(block);
  }
  void give_back(std::size_t leaf, std::uint64_t bytes);
  void update(std::size_t leaf);
  bool update_inner(std::size_t vertex);  // false: nothing has changed
  Vertex vertex_of(const Leaf& leaf) const;
  void search(Search& search, std::size_t vertex, std::size_t begin, std::size_t end) const;

  std::size_t width_ = 1;  // a power of two: leaves, with those that stand for no rank
  std::vector<Leaf> leaves_;
  std::vector<Vertex> vertices_;  // children of v: 2v, 2v + 1; the root is 1
  std::vector<Span> node_;        // of each leaf
  std::vector<std::int32_t> rank_at_;
  std::vector<std::size_t> leaf_of_;
  std::vector<std::uint64_t> block_bytes_;
  std::unordered_map<std::uint64_t, std::uint32_t> sharers_;  // of a block on a rank, by sharing()
};

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_RANK_TREE_H_
