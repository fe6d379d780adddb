#ifndef ROAM_SPAWN_TEAM_H_
#define ROAM_SPAWN_TEAM_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "roam/team.h"
#include "roam/thread.h"

// How teams are made.
namespace roam {

namespace detail {

// What a maker needs to know. Makers stand at positions 0 to ranks() - 1, counted from root_rank.
struct TeamPlan {
  std::uint64_t id = 0;
  int size = 0;
  int root_rank = 0;
  int first = 0;  // the maker's own position; those up to `last` are below it
  int last = 0;
  int parent_rank = -1;  // of the maker above
  std::size_t stack_bytes = 0;
  std::string name;
  Thread maker;  // the first one
};

TeamPlan team_begin(const SpawnOptions& options, int size);
Team team_started(const TeamPlan& plan, Thread maker);
int team_rank(const TeamPlan& plan, int position);
// A maker that was just spawned runs even if it cannot get to its rank: it says so.
void team_maker_begins_anywhere(Thread maker) noexcept;
void team_open(const TeamPlan& plan);
std::pair<int, int> team_block(const TeamPlan& plan);  // members of the maker's rank
// Makers from `plan.first` to `last` are still to be made below this one: where those of the next
// one begin, which has the rest. Their ranks rise, and with them the indices of their members.
int team_split(const TeamPlan& plan, int last);
Tcb* team_member_begin(const TeamPlan& plan, int index);
void team_member_abandon(Tcb* thread) noexcept;  // in place of team_member_hold
void team_member_hold(const TeamPlan& plan, int index, Tcb* thread, void (*entry)(void*),
                      void* closure, void (*destroy)(void*)) noexcept;
// Waits until all makers of the team have made their members. False: some could not; those that
// were made here are gone.
bool team_agree(const TeamPlan& plan, int makers, bool ready);
Thread team_release(const TeamPlan& plan, int index);
void team_close(const TeamPlan& plan);
void team_leave() noexcept;

// What a member runs. It leaves the team when all that it had is gone.
template <class Body>
void run_member(void* memory) {
  struct Leave {
    ~Leave() { team_leave(); }
  } leave;
  std::unique_ptr<Body> closure(static_cast<Body*>(memory));
  std::apply([](auto&&... part) { std::invoke(std::move(part)...); }, std::move(*closure));
}

// A thread on each rank that makes the rank's members, starts them once all ranks have made theirs,
// and joins them. It keeps to its rank until they run. Makers form a binary tree.
template <class Body>
struct TeamMaker {
  TeamPlan plan;
  Body body;

  void operator()() {
    std::optional<this_thread::Pin> pin(std::in_place);
    if (!plan.maker) plan.maker = this_thread::self();
    team_open(plan);
    std::exception_ptr failure;
    std::vector<Thread> makers, threads;
    try {
      // Once somebody else counts on them, they are noted whatever happens.
      makers.reserve(8 * sizeof(int));
      const auto [begin, end] = team_block(plan);
      threads.reserve(static_cast<std::size_t>(end - begin));
      TeamPlan part = plan;
      part.parent_rank = team_rank(plan, plan.first);
      while (part.last - plan.first > 1) {
        part.first = team_split(plan, part.last);
        makers.push_back(
            spawn(SpawnOptions{.name = "team maker", .rank = team_rank(plan, part.first)},
                  TeamMaker{part, body}));
        team_maker_begins_anywhere(makers.back());
        part.last = part.first;
      }
      for (auto [i, last] = team_block(plan); i < last; ++i) make_member(i);
    } catch (...) {
      failure = std::current_exception();
    }
    if (team_agree(plan, static_cast<int>(makers.size()), failure == nullptr)) {
      for (auto [i, last] = team_block(plan); i < last; ++i)
        threads.push_back(team_release(plan, i));
    }
    pin.reset();  // from here on it is a thread like others: a checkpoint may take it elsewhere
    const auto join = [&failure](Thread t) {
      try {
        t.join();
      } catch (...) {
        if (!failure) failure = std::current_exception();
      }
    };
    // In the order of the members' indices: below this rank's, its own, and above, where the maker
    // that was made last has the lowest.
    auto rest = makers.begin();
    if (plan.first == 0 && plan.root_rank > 0 && rest != makers.end()) join(*rest++);
    for (const Thread t : threads) join(t);
    for (auto t = makers.end(); t != rest;) join(*--t);
    team_close(plan);
    if (failure) std::rethrow_exception(failure);
  }

  void make_member(int index) {
    Tcb* thread = team_member_begin(plan, index);
    Body* closure = nullptr;
    try {
      AllocateIn scope(thread);
      closure = new Body(body);
    } catch (...) {
      team_member_abandon(thread);
      throw;
    }
    team_member_hold(plan, index, thread, &run_member<Body>, closure,
                     [](void* memory) { delete static_cast<Body*>(memory); });
  }
};

}  // namespace detail

// Starts `n` threads that each run a copy of f with copies of a..., spread in blocks over the ranks
// of the job: member i begins on rank i * ranks() / n. Returns when all of them have been made; if
// one cannot be, none runs. options.name names member i "NAME[i]"; options.rank is not looked at.
//
// Context: threads; suspends.
// Errors:  Errc::bad_option if n < 1 or options.stack_bytes is too large; else those of spawn, and
//          what f's or a's copy throws.
template <class F, class... A>
Team spawn_team(const SpawnOptions& options, int n, F&& f, A&&... a) {
  using Body = std::tuple<std::decay_t<F>, std::decay_t<A>...>;
  static_assert(std::is_invocable_v<std::decay_t<F>, std::decay_t<A>...>,
                "spawn_team: f is not callable with these arguments, decayed");
  static_assert(std::is_copy_constructible_v<Body>,
                "spawn_team: each member gets a copy of f and its arguments");
  detail::TeamPlan plan = detail::team_begin(options, n);
  plan.name = options.name;
  const this_thread::Pin pin;  // the team begins from this rank, where it is noted who made it
  const Thread maker =
      spawn(SpawnOptions{.name = "team maker"},
            detail::TeamMaker<Body>{plan, Body(std::forward<F>(f), std::forward<A>(a)...)});
  return detail::team_started(plan, maker);
}
template <class F, class... A>
Team spawn_team(int n, F&& f, A&&... a) {
  return spawn_team(SpawnOptions{}, n, std::forward<F>(f), std::forward<A>(a)...);
}

}  // namespace roam

#endif  // ROAM_SPAWN_TEAM_H_
