#ifndef ROAM_RUNTIME_TEAMS_COPY_COUNT_H_
#define ROAM_RUNTIME_TEAMS_COPY_COUNT_H_

#include <cstdint>
#include <unordered_map>

#include "runtime/teams/parcel.h"

namespace roam::runtime {

// Bytes of copies of long messages that wait for their receivers, of each pair of members: of those
// that were sent from this rank. They are bounded, as what lies in a mailbox is (room.h).
class CopyCount {
 public:
  // `most` bytes of each pair; 0: no bound.
  explicit CopyCount(std::uint64_t most) : most_(most) {}

  // Whether there may be a copy of that message too.
  bool has_room(const detail::Envelope& e) const {
    const auto it = most_ == 0 ? bytes_.end() : bytes_.find(pair_of(e));
    return it == bytes_.end() || it->second + e.bytes <= most_;
  }
  void add(const detail::Envelope& e) { bytes_[pair_of(e)] += e.bytes; }
  void take_off(const detail::Envelope& e) {
    const auto it = bytes_.find(pair_of(e));
    if ((it->second -= e.bytes) == 0) bytes_.erase(it);
  }

 private:
  std::uint64_t most_;
  std::unordered_map<std::uint64_t, std::uint64_t> bytes_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_COPY_COUNT_H_
