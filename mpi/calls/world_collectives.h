#ifndef ROAM_MPI_CALLS_WORLD_COLLECTIVES_H_
#define ROAM_MPI_CALLS_WORLD_COLLECTIVES_H_

#include <mpi.h>

#include <cstddef>

#include "mpi/calls/communicator.h"
#include "mpi/calls/reduction.h"
#include "mpi/calls/types.h"
#include "mpi/calls/virtual_rank.h"

// Blocking collectives whose members are all virtual ranks in their order. They are the team's own
// (runtime/teams): parts are combined in each rank first, and then once between ranks, which takes
// a fraction of the messages of a schedule. Ranks that balance by themselves do so here: loads go
// along, and whoever had better be elsewhere returns from the call there.
//
// Which members take this way is the same for all of them, since it follows from what the standard
// has them agree on. Those of several communicators may come here: a program that calls blocking
// collectives of the same members in different orders is wrong, as each may wait for all, and ends.
//
// Context: may suspend; the caller may be on another rank afterwards.
namespace roam::mpi {

bool is_of_all(const VirtualRank& me, const Communicator& c);

void barrier_of_all(VirtualRank& me, const Communicator& c);

// Parts that are longer are left to schedules, which copy less.
inline constexpr std::size_t kMostOfAll = 2048;
// Whether this is one for allreduce_of_all(): an operation of the standard, on short parts.
bool is_short_reduction(const Reduction& op, const Type& type, MPI_Count count);
// The result is the same, to the last bit, wherever members are: how parts are combined follows
// from their number alone.
void allreduce_of_all(VirtualRank& me, const Communicator& c, const void* in, void* out,
                      MPI_Count count, const Type& type, const Reduction& op);

// A point where members may move (AMPI_Migrate), which all reach: waits for all. The number of
// those that were asked to move.
int balance_of_all(VirtualRank& me);

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_WORLD_COLLECTIVES_H_
