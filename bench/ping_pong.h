#ifndef ROAM_BENCH_PING_PONG_H_
#define ROAM_BENCH_PING_PONG_H_

#include <cstddef>

namespace bench {

// Into memory that is there, or into pages that have never been touched.
enum class Memory { kWarm, kFresh };

// Nanoseconds that a message of plain MPI takes from rank 0 to rank 1 of MPI_COMM_WORLD: half a
// round trip, over `rounds` of them. A fresh receive goes into a new private mapping each time, and
// the answer is sent from there; making and dropping the mapping is not timed, the faults of its
// pages are.
//
// Context: a thread on rank 0, with MPI started by the program. Both ranks are in MPI meanwhile.
double ping_pong(std::size_t bytes, std::size_t rounds, Memory memory);

}  // namespace bench

#endif  // ROAM_BENCH_PING_PONG_H_
