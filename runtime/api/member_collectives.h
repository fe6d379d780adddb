#ifndef ROAM_RUNTIME_API_MEMBER_COLLECTIVES_H_
#define ROAM_RUNTIME_API_MEMBER_COLLECTIVES_H_

#include "roam/request.h"
#include "roam/team.h"
#include "runtime/teams/parcel.h"

// Collectives of the caller's team for a layer that is written inside Roam (mpi/), which waits for
// them among other things (member_messages.h). All members make the same ones in the same order.
//
// Context: members, capture on.
namespace roam::runtime {

// The caller takes part, and blocks until the request is done, by wait_for_news(), which
// call.blocking says. The request is the caller's, in its thread's memory, and stays where it is.
// Does not suspend.
// Errors: Error(out_of_memory): it has not taken part.
void start_collective(detail::RequestState* request, const detail::CollectiveCall& call);

// Once that is done: where ranks balance by themselves, and the root found that it pays, all
// members balance now. Suspends then; the caller may be on another rank afterwards.
void follow_verdict(const detail::RequestState& request);

// Team::balance() of the caller's team.
int balance_members();

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_API_MEMBER_COLLECTIVES_H_
