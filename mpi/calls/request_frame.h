#ifndef ROAM_MPI_CALLS_REQUEST_FRAME_H_
#define ROAM_MPI_CALLS_REQUEST_FRAME_H_

#include "mpi/calls/call.h"

namespace roam::mpi {

// The frame of a call for one request, or one message that was matched: errors are told where it
// belongs, to its window or its communicator; as those of MPI_COMM_WORLD, if it is null or has
// none. `body(me)` may end it.
template <class Body>
int call_of_one(const char* name, const Request* request, Needs given, Body body) {
  if (const VirtualRank& me = VirtualRank::running(); !me.is_open()) [[unlikely]]
    refuse_call(me, name);
  if (request != nullptr && request->errhandler != MPI_ERRHANDLER_NULL) {
    return call_telling(
        name,
        [name, handler = request->errhandler](VirtualRank& me, const FailedCall& failed) {
          return tell_handler(me, handler, MPI_COMM_NULL,
                              "a communicator or window that was freed since", name, failed);
        },
        given, body);
  }
  if (request != nullptr && request->window != MPI_WIN_NULL) {
    return call_telling(
        name,
        [name, window = request->window](VirtualRank& me, const FailedCall& failed) {
          return tell_window_error(me, window, name, failed);
        },
        given, body);
  }
  const bool of_none = request == nullptr || request->communicator == MPI_COMM_NULL;
  return call(name, of_none ? MPI_COMM_WORLD : request->communicator, given, body);
}

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_REQUEST_FRAME_H_
