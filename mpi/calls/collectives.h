#ifndef ROAM_MPI_CALLS_COLLECTIVES_H_
#define ROAM_MPI_CALLS_COLLECTIVES_H_

#include <cstddef>
#include <memory>

#include "mpi/calls/buffers.h"
#include "mpi/calls/reduction.h"
#include "mpi/calls/schedule.h"
#include "mpi/calls/virtual_rank.h"

// What one member does for each collective, as rounds of messages. Trees are binomial; parts of a
// reduction are combined in the order of ranks, and how depends on their number alone.
namespace roam::mpi {

// The schedule of the next collective of that family on a communicator, empty.
std::unique_ptr<Schedule> begin_collective(Communicator& c,
                                           CollectiveFamily family = CollectiveFamily::kOwn);
// The same of one that is started whenever its members like: those that belong together are known
// by their order among those of the communicator, not by that of their starts.
std::unique_ptr<Schedule> begin_persistent_collective(Communicator& c, CollectiveFamily family);
// Advances it to its end. Suspends.
void wait_for(VirtualRank& me, Schedule* schedule);
void wait_for_barrier(VirtualRank& me, Communicator& c);

// The trees are those of the group that this member is in; what goes between the two groups of an
// intercommunicator is said.
void add_barrier(Schedule* s, const Communicator& c);
// Of an intercommunicator: rank 0 sends `out` to the other group's rank 0 and receives `in` from
// there.
void add_exchange_of_first(Schedule* s, const Communicator& c, Bytes out, Bytes in);
void add_broadcast(Schedule* s, const Communicator& c, int root, void* data, std::size_t bytes);
// `part`: this member's `count` elements, which are changed; at rank 0 they become the combination
// of all.
void add_reduction_to_first(Schedule* s, const Communicator& c, Bytes part, MPI_Count count,
                            const Reduction& op);
// `part` becomes the combination of ranks 0 to this one; or up to the one before it, nothing at 0.
void add_scan(Schedule* s, const Communicator& c, Bytes part, MPI_Count count, const Reduction& op,
              bool without_own);

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_COLLECTIVES_H_
