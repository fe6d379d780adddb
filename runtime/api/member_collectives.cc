#include "runtime/api/member_collectives.h"

#include "isomalloc/in_process.h"
#include "runtime/balancing/loads_along.h"
#include "runtime/job/job.h"
#include "runtime/teams/member.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using detail::CollectiveCall;
using detail::Member;
using detail::RequestState;
using threads::scheduler;

void start_collective(RequestState* request, const CollectiveCall& call) {
  *request = {};
  request->kind = RequestState::Kind::kCollective;
  iso::in_process(
      [&] { the_job().gatherings().contribute(*member_of(scheduler().current()), call, request); });
}

void follow_verdict(const RequestState& request) {
  if (request.verdict == static_cast<std::uint32_t>(Verdict::kGoOn)) return;
  detail::Tcb* self = scheduler().current();
  if (request.verdict == static_cast<std::uint32_t>(Verdict::kBalance)) {
    detail::team_balance(member_of(self)->team);
  } else {
    // With what this turn has brought so far: who came last has not been stopped in the collective.
    scheduler().run_seconds(self);
    member_of(self)->seen_ticks = self->run_ticks;
  }
}

int balance_members() { return detail::team_balance(member_of(scheduler().current())->team); }

}  // namespace roam::runtime
