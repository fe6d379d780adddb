#include "runtime/teams/teams.h"

#include <cstring>
#include <new>

#include "base/check.h"
#include "base/text.h"
#include "runtime/teams/member.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using detail::State;
using detail::TeamPlan;
using threads::scheduler;

void Teams::wake(Tcb*& t) {
  if (t == nullptr) return;
  Tcb* woken = t;
  t = nullptr;
  scheduler().make_ready(woken);
}

// Others wait for what cannot be noted or told.
[[noreturn]] static void no_memory_to_make(std::uint64_t team) {
  fatal("there is no memory of the process to make team %llu",
        static_cast<unsigned long long>(team));
}

// Who does not find it waits for others, or others for it.
Teams::Forming& Teams::forming(std::uint64_t team) try {
  return forming_[team];
} catch (const std::bad_alloc&) {
  no_memory_to_make(team);
}

void Teams::cannot_open(const TeamPlan& plan) try {
  if (plan.parent_rank >= 0) {
    net_.send(plan.parent_rank, TeamHead{Kind::kTeamReport, 0, plan.id});
    return;
  }
  Forming& f = forming(plan.id);
  f.decided = f.maker_is_through = true;
  wake(f.creator);
  if (f.creator_is_through) forming_.erase(plan.id);
} catch (const std::bad_alloc&) {
  no_memory_to_make(plan.id);
}

void Teams::hold(std::uint64_t team, Tcb* member, void (*destroy)(void*)) try {
  forming(team).held.push_back({member, destroy});
} catch (const std::bad_alloc&) {
  no_memory_to_make(team);
}

bool Teams::agree(const TeamPlan& plan, int makers, bool ready) {
  Forming& f = forming(plan.id);
  f.good = f.good && ready;
  const auto wait = [&] {
    f.maker = scheduler().current();
    scheduler().block("the makers of a team", nullptr);
  };
  while (f.reports < makers) wait();
  if (plan.parent_rank < 0) {
    f.decided = true;
    f.begins = f.good;
    wake(f.creator);
  } else {
    net_.send(plan.parent_rank, TeamHead{Kind::kTeamReport, f.good, plan.id});
    while (!f.decided) wait();
  }
  const bool begins = f.begins;
  int last = plan.last;
  for (int k = 0; k < makers; ++k) {
    const int first = detail::team_split(plan, last);
    net_.send(detail::team_rank(plan, first), TeamHead{Kind::kTeamStart, begins, plan.id});
    last = first;
  }
  if (!begins) give_up(f);
  f.held.clear();
  f.maker_is_through = true;
  if (plan.parent_rank >= 0 || f.creator_is_through) forming_.erase(plan.id);
  return begins;
}

void Teams::give_up(Forming& f) {
  for (const Held& held : f.held) {
    Tcb* t = held.member;
    {
      iso::HeapScope theirs(&t->heap);
      held.destroy(t->closure);
      delete member_of(t);
      t->role = nullptr;
    }
    life_.unname(t);
    life_.abandon(t, scheduler().current());
  }
}

bool Teams::wait_until_made(std::uint64_t team) {
  Forming& f = forming(team);
  while (!f.decided) {
    f.creator = scheduler().current();
    scheduler().block("the members of a team to be made", nullptr);
  }
  const bool begins = f.begins;
  f.creator_is_through = true;
  if (f.maker_is_through) forming_.erase(team);
  return begins;
}

std::string Teams::obstacle() const {
  if (forming_.empty()) return {};
  return text("team %llu is being made", static_cast<unsigned long long>(forming_.begin()->first));
}

std::span<const Kind> Teams::kinds() const {
  static constexpr Kind kOwn[] = {Kind::kTeamReport, Kind::kTeamStart, Kind::kTeamEnd};
  return kOwn;
}

void Teams::handle(int, const char* message, std::size_t) {
  const auto head = read<TeamHead>(message);
  switch (head.kind) {
    case Kind::kTeamReport: {
      Forming& f = forming(head.team);
      ++f.reports;
      f.good = f.good && head.good != 0;
      wake(f.maker);
      return;
    }
    case Kind::kTeamStart: {
      // A maker that could not come here has nothing to begin or to give up.
      const auto it = forming_.find(head.team);
      if (it == forming_.end()) return;
      it->second.decided = true;
      it->second.begins = head.good != 0;
      wake(it->second.maker);
      return;
    }
    default:
      members_->forget_team(head.team);
  }
}

}  // namespace roam::runtime
