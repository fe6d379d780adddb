#ifndef ROAM_RUNTIME_TEAMS_DIRECTIONS_H_
#define ROAM_RUNTIME_TEAMS_DIRECTIONS_H_

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "runtime/net/message.h"

namespace roam::runtime {

// The first of the members that begin on `rank`: those with index * ranks / size == rank.
constexpr int first_member(int rank, int size, int ranks) {
  return static_cast<int>((std::int64_t{rank} * size + ranks - 1) / ranks);
}

// Where the members of one team are, as far as rank `here` has to know.
class Directions {
 public:
  struct Known {
    Target target;
    int rank;
    std::uint64_t hops;
  };

  Directions() = default;
  Directions(int size, int ranks, int here)
      : size_(size),
        ranks_(ranks),
        first_(first_member(here, size, ranks)),
        home_(static_cast<std::size_t>(first_member(here + 1, size, ranks) - first_)) {}

  int home_rank(int index) const { return static_cast<int>(std::int64_t{index} * ranks_ / size_); }
  // Null of a member that has another home.
  const Target* at_home(int index) const {
    const std::size_t i = static_cast<std::size_t>(index - first_);
    return index >= first_ && i < home_.size() ? &home_[i] : nullptr;
  }
  // Of one that this rank is home of.
  void set_home(int index, Target target) {
    home_[static_cast<std::size_t>(index - first_)] = target;
  }
  int size() const { return size_; }
  // Those that this rank is home of, from the first on.
  int first_at_home() const { return first_; }
  const std::vector<Target>& all_at_home() const { return home_; }
  // What was heard of another; null: nothing.
  const Known* heard_of(int index) const {
    const auto it = known_.find(index);
    return it != known_.end() ? &it->second : nullptr;
  }
  // Older news than what is known, by the thread's hops, are dropped.
  void learn(int index, const Known& news) {
    Known& k = known_[index];
    if (k.target.id == 0 || news.hops >= k.hops) k = news;
  }

 private:
  int size_ = 0;
  int ranks_ = 1;
  int first_ = 0;                         // of those that this rank is home of ...
  std::vector<Target> home_;              // ... its block
  std::unordered_map<int, Known> known_;  // others that members of this rank wrote to
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_DIRECTIONS_H_
