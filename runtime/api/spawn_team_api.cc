// The calls behind roam/spawn_team.h.

#include <exception>
#include <new>

#include "base/text.h"
#include "isomalloc/in_process.h"
#include "roam/spawn_team.h"
#include "runtime/api/caller.h"
#include "runtime/job/job.h"
#include "runtime/teams/member.h"
#include "threads/scheduler.h"

namespace roam {

using detail::Member;
using detail::Tcb;
using runtime::the_job;
using threads::scheduler;

struct TeamAccess {
  static Team make(std::uint64_t id, int size, Thread maker) { return Team(id, size, maker); }
};

namespace detail {

TeamPlan team_begin(const SpawnOptions& options, int size) {
  return iso::in_process([&] {
    runtime::require_thread("spawn_team");
    if (size < 1) {
      throw Error(Errc::bad_option,
                  text("spawn_team: a team of %d members; it has 1 at least", size));
    }
    TeamPlan plan;
    plan.id = the_job().locator().directory().new_team_id();
    plan.size = size;
    plan.root_rank = the_job().rank();
    plan.last = the_job().ranks();
    plan.stack_bytes = options.stack_bytes;
    return plan;
  });
}

int team_rank(const TeamPlan& plan, int position) {
  return (plan.root_rank + position) % the_job().ranks();
}

Team team_started(const TeamPlan& plan, Thread maker) {
  const bool made = iso::in_process([&] { return the_job().teams().wait_until_made(plan.id); });
  if (!made) {
    maker.join();
    throw Error(Errc::out_of_memory, "spawn_team: the members could not be made");
  }
  return TeamAccess::make(plan.id, plan.size, maker);
}

// Ranks of positions begin again at 0 once. The first maker cuts there, so that no other's do.
int team_split(const TeamPlan& plan, int last) {
  const int turn = the_job().ranks() - plan.root_rank;
  if (plan.first < turn && turn < last) return turn;
  return plan.first + (last - plan.first + 1) / 2;
}

void team_maker_begins_anywhere(Thread maker) noexcept {
  ThreadAccess::target(maker).control->begins_anywhere = true;
}

void team_open(const TeamPlan& plan) {
  iso::in_process([&] {
    const int rank = team_rank(plan, plan.first);
    if (the_job().rank() != rank) {
      if (plan.parent_rank >= 0) the_job().teams().cannot_open(plan);
      Errc code = Errc::out_of_memory;
      const std::string why = the_job().mover().take_refusal(scheduler().current(), &code);
      throw Error(code, "spawn_team: no thread can make members there: " + why);
    }
    try {
      the_job().whereabouts().add_team(plan.id, plan.size, the_job().ranks());
      the_job().gatherings().add_team(plan.id, plan.size, plan.root_rank);
    } catch (const std::bad_alloc&) {
      the_job().members().forget_team(plan.id);
      the_job().teams().cannot_open(plan);
      throw;
    }
    the_job().teams().open(plan);
  });
}

std::pair<int, int> team_block(const TeamPlan& plan) {
  const int rank = the_job().rank(), ranks = the_job().ranks();
  return {runtime::first_member(rank, plan.size, ranks),
          runtime::first_member(rank + 1, plan.size, ranks)};
}

Tcb* team_member_begin(const TeamPlan& plan, int index) {
  return iso::in_process([&] {
    const std::string name =
        plan.name.empty() ? text("member %d", index) : text("%s[%d]", plan.name.c_str(), index);
    Tcb* t = scheduler().slots().make(plan.stack_bytes, name);
    runtime::begin_making();
    iso::HeapScope theirs(&t->heap);
    void* room = t->heap.allocate_for_life(sizeof(Member));
    Member* member = room != nullptr ? new (room) Member : nullptr;
    t->role = member;
    if (member == nullptr) {
      iso::HeapScope process;
      spawn_abandon(t);
      throw Error(Errc::out_of_memory,
                  "no memory for a member of a team: " + iso::arena().limit().shortage());
    }
    member->thread = t;
    member->team = plan.id;
    member->index = index;
    member->size = plan.size;
    member->maker = plan.maker;
    member->mailbox.room().set(the_job().options().unreceived_bytes, plan.size);
    return t;
  });
}

void team_member_abandon(Tcb* t) noexcept {
  {
    iso::HeapScope theirs(&t->heap);
    delete member_of(t);
    t->role = nullptr;
  }
  spawn_abandon(t);
}

void team_member_hold(const TeamPlan& plan, int index, Tcb* t, void (*entry)(void*), void* closure,
                      void (*destroy)(void*)) noexcept {
  iso::HeapScope process;
  t->entry = entry;
  t->closure = closure;
  const runtime::Target target = the_job().life().name(t);
  the_job().whereabouts().set_member(plan.id, index, target);
  the_job().teams().hold(plan.id, t, destroy);
  runtime::end_making();
}

bool team_agree(const TeamPlan& plan, int makers, bool ready) {
  return iso::in_process([&] { return the_job().teams().agree(plan, makers, ready); });
}

Thread team_release(const TeamPlan& plan, int index) {
  iso::HeapScope process;
  const runtime::Target target = the_job().whereabouts().member(plan.id, index);
  the_job().members().came(target.control);
  the_job().life().start_named(target.control);
  return ThreadAccess::make(target);
}

void team_close(const TeamPlan& plan) {
  if (plan.parent_rank >= 0) return;
  iso::HeapScope process;
  for (int r = 0; r < the_job().ranks(); ++r)
    the_job().net().send(r, runtime::TeamHead{runtime::Kind::kTeamEnd, 0, plan.id});
}

void team_leave() noexcept {
  Tcb* self = scheduler().current();
  Member* me = member_of(self);
  {
    iso::HeapScope process;
    for (;;) {
      const runtime::Departure left = the_job().members().leaves(self);
      if (left == runtime::Departure::kGo) break;
      if (left == runtime::Departure::kWait) {
        scheduler().yield();
        continue;
      }
      me->waiting = true;  // until one is received, or there is memory for a copy
      the_job().post().sender_waits();
      scheduler().block("what it sent to be received", nullptr);
      me->waiting = false;
    }
  }
  me->mailbox.forget_posted();
  delete me;
  self->role = nullptr;
}

}  // namespace detail
}  // namespace roam
