#ifndef ROAM_RUNTIME_DIRECTORY_H_
#define ROAM_RUNTIME_DIRECTORY_H_

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace roam::runtime {

// A thread's id: the rank that made it, its home, and a number. The home rank can always say where
// the thread is.
//   63      40 39          0
//   | rank + 1 | number, from 1 |
constexpr int kNumberBits = 40;
constexpr std::uint64_t make_id(int home, std::uint64_t number) {
  return (static_cast<std::uint64_t>(home) + 1) << kNumberBits | number;
}
constexpr int home_of(std::uint64_t id) { return static_cast<int>(id >> kNumberBits) - 1; }
constexpr std::uint64_t number_of(std::uint64_t id) {
  return id & ((std::uint64_t{1} << kNumberBits) - 1);
}

// What a home rank knows of its threads. Memory: one bit for each thread it ever made, and an entry
// for each that is away on another node, or whose exception waits to be joined.
class Directory {
 public:
  explicit Directory(int home) : home_(home) {}

  std::uint64_t new_id() {
    ++last_;
    if (last_ / 64 >= ended_.size()) ended_.resize(ended_.size() * 2 + 16);
    return make_id(home_, last_);
  }
  // Ids are given out only here: anything else is no thread.
  bool known(std::uint64_t id) const {
    return home_of(id) == home_ && number_of(id) != 0 && number_of(id) <= last_;
  }

  bool ended(std::uint64_t id) const {
    return (ended_[number_of(id) / 64] >> (number_of(id) % 64) & 1) != 0;
  }
  void set_ended(std::uint64_t id) {
    ended_[number_of(id) / 64] |= std::uint64_t{1} << (number_of(id) % 64);
    if (!away_.empty()) away_.erase(id);
  }

  // News of a thread that is on another node; older news than what is known is dropped.
  void set_away(std::uint64_t id, int rank, std::uint32_t hops) {
    if (!known(id) || ended(id)) return;
    Away& away = away_[id];
    if (away.rank < 0 || hops >= away.hops) away = {rank, hops};
  }
  std::optional<int> away(std::uint64_t id) const {
    const auto it = away_.find(id);
    if (it == away_.end()) return std::nullopt;
    return it->second.rank;
  }

  // Where an ended thread's exception or memory waits.
  void set_remains(std::uint64_t id, int rank) { remains_[id] = rank; }
  bool any_remains() const { return !remains_.empty(); }
  std::optional<int> remains(std::uint64_t id) const {
    const auto it = remains_.find(id);
    if (it == remains_.end()) return std::nullopt;
    return it->second;
  }

 private:
  struct Away {
    int rank = -1;
    std::uint32_t hops = 0;
  };
  int home_;
  std::uint64_t last_ = 0;
  std::vector<std::uint64_t> ended_;
  std::unordered_map<std::uint64_t, Away> away_;
  std::unordered_map<std::uint64_t, int> remains_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_DIRECTORY_H_
