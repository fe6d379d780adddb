#ifndef ROAM_RUNTIME_TEAMS_MEMBER_H_
#define ROAM_RUNTIME_TEAMS_MEMBER_H_

#include <cstdint>

#include "base/hook_list.h"
#include "roam/thread.h"
#include "runtime/teams/mailbox.h"
#include "threads/role.h"
#include "threads/tcb.h"

namespace roam::detail {

// What makes a thread a member of a team. It lies in the thread's heap and travels with it.
struct Member : threads::Role {
  Tcb* thread = nullptr;
  std::uint64_t team = 0;
  std::int32_t index = 0;
  std::int32_t size = 0;
  Thread maker;  // the team's first, with whose end it ends
  Mailbox mailbox;
  RequestState* sends = nullptr;    // unfinished: their bytes are still in the sender's memory
  std::uint32_t noted = 0;          // receives of messages with a note (Envelope::note) that ended
  std::int32_t pulls = 0;           // messages whose bytes are on their way into its memory
  MessageServer* server = nullptr;  // of messages with kServedTag
  bool waiting = false;             // blocked until some request is done
  bool asks = false;                // has looked whether one is, lately, in place of waiting
  Peer* full = nullptr;             // that it waits for room with
  std::uint32_t collectives = 0;    // number of the next one
  std::uint32_t alltoalls = 0;
  // Its load. What it computed in the last steps, oldest first, and since then; or what it named.
  static constexpr std::size_t kHistory = 6;
  double history_s[kHistory] = {};
  std::uint32_t steps = 0;       // of them, as many as were measured
  bool named = false;            // they are in the program's unit, not in seconds
  std::uint64_t seen_ticks = 0;  // Tcb::run_ticks when load was last looked at
  double user_load = -1;         // this_thread::set_load; negative: what was measured counts
  double balancing_s = 0;        // that the last balancing took
  ClearedHook among_residents;   // of its rank; empty while it is on its way
};

// What makes `t` a member; null: it is none. Members are all that give a thread a role.
inline Member* member_of(const Tcb* t) { return static_cast<Member*>(t->role); }

}  // namespace roam::detail

#endif  // ROAM_RUNTIME_TEAMS_MEMBER_H_
