#ifndef ROAM_RUNTIME_TEAMS_COPY_COUNT_H_
#define ROAM_RUNTIME_TEAMS_COPY_COUNT_H_

#include <cstdint>
#include <unordered_map>

#include "runtime/teams/parcel.h"
#include "runtime/teams/room.h"

namespace roam::runtime {

// Bytes of copies of messages that wait for their receivers though these have no room or they are
// long, of each pair of members: of those that were sent from this rank. They are bounded, as what
// lies in a mailbox is (room.h).
class CopyCount {
 public:
  // `most` bytes of each pair; 0: no bound.
  explicit CopyCount(std::uint64_t most) : most_(most) {}

  // Whether there may be a copy of that message too.
  bool has_room(const detail::Envelope& e) const {
    const auto it = most_ == 0 ? bytes_.end() : bytes_.find(pair_of(e));
    return it == bytes_.end() || it->second + bytes_of(e) <= most_;
  }
  void add(const detail::Envelope& e) { bytes_[pair_of(e)] += bytes_of(e); }
  void take_off(const detail::Envelope& e) {
    const auto it = bytes_.find(pair_of(e));
    if ((it->second -= bytes_of(e)) == 0) bytes_.erase(it);
  }

 private:
  // Short ones count too.
  static std::uint64_t bytes_of(const detail::Envelope& e) {
    return detail::Room::bytes_for(e.bytes);
  }

  std::uint64_t most_;
  std::unordered_map<std::uint64_t, std::uint64_t> bytes_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_COPY_COUNT_H_
