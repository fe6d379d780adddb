#ifndef ROAM_RUNTIME_TEAMS_NO_WAY_BACK_H_
#define ROAM_RUNTIME_TEAMS_NO_WAY_BACK_H_

#include "base/check.h"
#include "runtime/teams/parcel.h"

namespace roam::runtime {

// The process has no memory to go on with a message that is in nobody's mailbox any more, or that a
// receiver may have. Who happened to call is perhaps not whom it concerns, and could not do it over
// again; who is to get it would wait for ever.
[[noreturn, gnu::cold, gnu::noinline]] inline void no_memory_to_go_on(const detail::Envelope& e) {
  fatal(
      "there is no memory to go on with a message of %llu bytes from member %d to member "
      "%d of team %llu. What is on its way takes memory of the process, not of the members.",
      static_cast<unsigned long long>(e.bytes), e.from, e.to,
      static_cast<unsigned long long>(e.team));
}

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_NO_WAY_BACK_H_
