#ifndef ROAM_MPI_CALLS_COLLECTIVE_FRAME_H_
#define ROAM_MPI_CALLS_COLLECTIVE_FRAME_H_

#include <memory>
#include <utility>

#include "mpi/calls/call.h"
#include "mpi/calls/collectives.h"
#include "mpi/calls/messages.h"

namespace roam::mpi {

// Makes the schedule of a collective and waits for it; or, given where its request's handle goes,
// leaves it under way.
template <class Make>
int collective(const char* name, MPI_Comm communicator, MPI_Request* handle, Make make) {
  return call(name, communicator, [&](VirtualRank& me) {
    Communicator& c = me.communicator(communicator);
    std::unique_ptr<Schedule> schedule = begin_collective(c);
    make(me, c, schedule.get());
    if (handle == nullptr) return wait_for(me, schedule.get());
    auto request = std::make_unique<Request>();
    request->kind = Request::Kind::kCollective;
    request->communicator = communicator;
    request->schedule = std::move(schedule);
    request->started = true;
    request->done = false;
    if (!advance(request.get())) me.watch(request.get());
    *handle = me.requests.add(std::move(request));
  });
}

// Of a collective with a root: who this member is. In an intercommunicator the members of the
// root's group say MPI_ROOT or MPI_PROC_NULL, and the others the root's rank there.
enum class Role { kRoot, kOther, kNone };
// CallError(MPI_ERR_ROOT): there is no such rank.
Role role_of(const Communicator& c, int root);
// CallError(MPI_ERR_COMM): it is an intercommunicator.
void check_intra(const Communicator& c);

inline bool in_place(const void* data) { return data == MPI_IN_PLACE; }

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_COLLECTIVE_FRAME_H_
