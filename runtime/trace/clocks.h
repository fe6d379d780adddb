#ifndef ROAM_RUNTIME_TRACE_CLOCKS_H_
#define ROAM_RUNTIME_TRACE_CLOCKS_H_

#include <cstdint>
#include <string>

#include "runtime/net/mpi.h"

namespace roam::runtime {

// How now_ns() of a rank differs from that of rank 0.
struct ClockOffset {
  std::int64_t ns = 0;        // to be added to this rank's reading
  std::int64_t error_ns = 0;  // it may be wrong by so much, either way
};

// Collective. Ranks whose `clock` has the same name as rank 0's differ by nothing. With one rank of
// each other clock, rank 0 exchanges messages: the clock was read there at some time between the
// sending and the answer, and half of the shortest such time bounds the error. Source: Cristian
// 1989.
ClockOffset compare_clocks(Mpi& mpi, const std::string& clock);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TRACE_CLOCKS_H_
