#ifndef ROAM_RUNTIME_BALANCING_LOADS_ALONG_H_
#define ROAM_RUNTIME_BALANCING_LOADS_ALONG_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/teams/parts.h"

namespace roam::runtime {

// What the root of a collective says about the members' loads.
enum class Verdict : std::uint32_t { kGoOn = 0, kLookAnew, kBalance };

// For balancing by itself: goes along with the parts of collectives. Of the members that have taken
// part, since loads were last looked at: the load of all, and that of the busiest rank, in seconds
// or as members name it; how long all have computed; how long the last balancing took whom it took
// shortest (others waited, besides, for those that computed on before them; 0: none was); and how
// many do not wait for the result.
struct LoadsAlong {
  double load;
  double busiest;
  float computed_s;
  float balancing_s;
  std::uint32_t not_blocking;

  // What one member of this rank says, who has been added to no other rank's. Its load is what it
  // has computed where it names none.
  void took_part(double its_load, double its_computed_s, double its_balancing_s, bool waits);
  // What several ranks say.
  void add(const LoadsAlong& more);
  // How much the busiest of `ranks` ranks has of the average; 1 where there is no load.
  double imbalance(int ranks) const;
  // Whether it is worth while to balance where all members of `ranks` ranks wait: what the busiest
  // rank has more than the average, of the time that ranks compute, as often as a plan is expected
  // to hold, against what balancing took. kGoOn until ranks have computed for `look_s` on average.
  Verdict judge(int ranks, double look_s) const;
};

// All fields, without the padding behind them: a member that takes part reads and writes them.
inline LoadsAlong loads_in(const Along& along) {
  static_assert(offsetof(LoadsAlong, not_blocking) + sizeof(std::uint32_t) == Along::kBytes);
  LoadsAlong loads{};
  std::memcpy(&loads, along.bytes, Along::kBytes);
  return loads;
}
inline void put(const LoadsAlong& loads, Along* along) {
  std::memcpy(along->bytes, &loads, Along::kBytes);
}

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_BALANCING_LOADS_ALONG_H_
