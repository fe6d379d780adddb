#ifndef ROAM_RUNTIME_PLACE_DIRECTORY_H_
#define ROAM_RUNTIME_PLACE_DIRECTORY_H_

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "runtime/net/thread_id.h"
#include "runtime/place/ended_threads.h"

namespace roam::runtime {

// What a home rank knows of its threads. Memory: an entry for each that is away on another node, or
// that left an exception or memory that waits elsewhere, and what EndedThreads takes.
class Directory {
 public:
  explicit Directory(int home) : home_(home) {}

  std::uint64_t new_id() {
    ended_.begin(++last_);
    return make_id(home_, last_);
  }
  std::uint64_t new_team_id() { return make_id(home_, ++last_team_); }
  // Ids are given out only here: anything else is no thread.
  bool known(std::uint64_t id) const {
    return home_of(id) == home_ && number_of(id) != 0 && number_of(id) <= last_;
  }

  bool ended(std::uint64_t id) const { return ended_.ended(number_of(id)); }
  void set_ended(std::uint64_t id) {
    ended_.set_ended(number_of(id));
    if (!away_.empty()) away_.erase(id);
  }

  // News of a thread that is on another node; older news than what is known is dropped.
  void set_away(std::uint64_t id, int rank, std::uint64_t hops) {
    if (!known(id) || ended(id)) return;
    Away& away = away_[id];
    if (away.rank < 0 || hops >= away.hops) away = {rank, hops};
  }
  std::optional<int> away(std::uint64_t id) const {
    const auto it = away_.find(id);
    if (it == away_.end()) return std::nullopt;
    return it->second.rank;
  }

  // Where an ended thread's exception or memory waits, until a joiner is sent there or it is gone.
  void set_remains(std::uint64_t id, int rank) { remains_[id] = rank; }
  bool any_remains() const { return !remains_.empty(); }
  std::optional<int> take_remains(std::uint64_t id) {
    const auto it = remains_.find(id);
    if (it == remains_.end()) return std::nullopt;
    const int rank = it->second;
    remains_.erase(it);
    return rank;
  }
  void forget_remains(std::uint64_t id) { remains_.erase(id); }

  // Which threads there were. Where those that live are, and what the others left, is told anew.
  void save(StateWriter& out) const {
    out.put(last_);
    out.put(last_team_);
    ended_.save(out);
  }
  void restore(StateReader& in) {
    last_ = in.get<std::uint64_t>();
    last_team_ = in.get<std::uint64_t>();
    ended_.restore(in);
  }

 private:
  struct Away {
    int rank = -1;
    std::uint64_t hops = 0;
  };
  int home_;
  std::uint64_t last_ = 0;
  std::uint64_t last_team_ = 0;
  EndedThreads ended_;
  std::unordered_map<std::uint64_t, Away> away_;
  std::unordered_map<std::uint64_t, int> remains_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_PLACE_DIRECTORY_H_
