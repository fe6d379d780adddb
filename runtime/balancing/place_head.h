#ifndef ROAM_RUNTIME_BALANCING_PLACE_HEAD_H_
#define ROAM_RUNTIME_BALANCING_PLACE_HEAD_H_

#include <cstdint>

namespace roam::runtime {

// What a member of a team.balance() is told: where to go, -1: to stay wherever it is by then; and
// how many members are asked to move.
struct PlaceHead {
  std::int32_t rank;
  std::int32_t moves;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_BALANCING_PLACE_HEAD_H_
