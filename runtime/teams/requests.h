#ifndef ROAM_RUNTIME_TEAMS_REQUESTS_H_
#define ROAM_RUNTIME_TEAMS_REQUESTS_H_

#include "runtime/teams/parcel.h"

// What becomes of the requests of members that are on this rank.
//
// Context: the rank's kernel thread, capture off.
namespace roam::runtime {

// `request` waits for what goes to its `data`: if that is memory of the process, which is other
// memory on another rank, `t` stays here until the request is finished or unpinned.
void pin_for_request(Tcb* t, detail::RequestState* request);
void unpin_for_request(Tcb* t, detail::RequestState* request);

// `t` goes on if it waits for the end of a request, of whatever one.
void wake_if_waiting(Tcb* t);
// `request` of `t` is done: `t` goes on if it waits.
void finish_request(Tcb* t, detail::RequestState* request);
// The bytes of a message are where `request` wants them.
void finish_receive(Tcb* t, detail::RequestState* request, const detail::Envelope& e);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_REQUESTS_H_
