#include "runtime/life/lifecycle.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "runtime/check/pointer_check.h"
#include "runtime/trace/trace.h"
#include "threads/companions.h"
#include "threads/scheduler.h"
#include "threads/slots.h"
#include "threads/ties.h"

namespace roam::runtime {

using detail::State;
using threads::scheduler;

void Lifecycle::begin_run(Mover* mover, bool watched) {
  mover_ = mover;
  mover_->set_joiners(this);
  watched_ = watched;
  created_ = ended_ = 0;
  failures_ = {};
}

Target Lifecycle::name(Tcb* t) {
  const Target target{locator_.directory().new_id(), t};
  t->is_root = root_next_;
  root_next_ = false;
  t->id.store(target.id, std::memory_order_release);
  open_objects_.renumbered(t, 0);
  return target;
}

void Lifecycle::unname(Tcb* t) {
  const std::uint64_t id = t->id.load(std::memory_order_relaxed);
  locator_.directory().set_ended(id);
  t->id.store(0, std::memory_order_release);
  open_objects_.renumbered(t, id);
}

void Lifecycle::start_named(Tcb* t) {
  scheduler().slots().add_live(1);
  scheduler().slots().came(t);
  ++created_;
  if (the_trace != nullptr) the_trace->named(t->id.load(std::memory_order_relaxed), t->name());
  scheduler().make_ready(t);
}

Target Lifecycle::begin(Tcb* t, int to) {
  const Target target = name(t);
  if (to != net_.rank()) t->move_to = to;
  start_named(t);
  return target;
}

void Lifecycle::abandon(Tcb* t, Tcb* spawner) {
  t->move_to = -1;
  if (spawner != nullptr) {
    adopt(spawner, t, 0);
  } else {
    leftovers_[~reinterpret_cast<Address>(t)] = t;  // no thread has such an id: nobody joins it
  }
}

// Slots are used again: nobody may be left in one who waits for an earlier thread.
static void check_joiner(const Tcb* joiner, std::uint64_t id) {
  const Answer* answer = static_cast<const Answer*>(joiner->answer);
  ROAM_CHECK(answer != nullptr && answer->about == id,
             "thread '%s' waits for the end of another thread than %llu", joiner->name(),
             static_cast<unsigned long long>(id));
}

std::vector<JoinHead> Lifecycle::take_joiners(Tcb* t, std::uint64_t id) {
  std::vector<JoinHead> joiners;
  const Target target{id, t};
  if (Tcb* j = t->joiner; j != nullptr) {
    check_joiner(j, id);
    joiners.push_back(
        {Kind::kJoin, net_.rank(), target, {j->id.load(std::memory_order_relaxed), j}, 0});
    t->joiner = nullptr;
  }
  if (t->has_joiners) {
    const auto it = joiners_.find(id);
    joiners.insert(joiners.end(), it->second.begin(), it->second.end());
    joiners_.erase(it);
    t->has_joiners = false;
  }
  return joiners;
}

// The common end: nothing is left, and at most one thread of this rank waits for it.
bool Lifecycle::ended_clean(Tcb* t) {
  if (t->long_name != nullptr && t->exception == nullptr) threads::Slots::shorten_name(t);
  const std::uint64_t id = t->id.load(std::memory_order_relaxed);
  if (t->exception != nullptr || t->tied != 0 || threads::has_companions(t) || t->has_joiners ||
      home_of(id) != net_.rank() || watched_ || !t->heap.release_empty()) {
    return false;
  }
  scheduler().slots().add_live(-1);
  scheduler().slots().left(t);
  ++ended_;
  mover_->forget_refusal(id);
  locator_.directory().set_ended(id);
  Tcb* joiner = t->joiner;
  t->joiner = nullptr;
  scheduler().slots().retire(t);
  if (joiner != nullptr) {
    check_joiner(joiner, id);
    Answer* answer = static_cast<Answer*>(joiner->answer);
    joiner->answer = nullptr;
    answer->done = true;
    if (joiner->state == State::kBlocked) scheduler().make_ready(joiner);
  }
  return true;
}

void Lifecycle::ended(Tcb* t) {
  if (ended_clean(t)) return;  // on its own stack it was not asked, or it has no room to rest
  if (the_check != nullptr) the_check->ends(t);
  const std::uint64_t id = t->id.load(std::memory_order_relaxed);
  scheduler().slots().add_live(-1);
  scheduler().slots().left(t);
  ++ended_;
  mover_->forget_refusal(id);
  if (the_trace != nullptr)
    the_trace->ended(id, static_cast<std::uint64_t>(scheduler().run_seconds(t) * 1e9));
  const bool failed = t->exception != nullptr;
  if (failed && t->is_root) {
    failures_.report();  // the cause of this one may be among them
    fatal("thread '%s' ended with an uncaught exception: %s", t->name(),
          describe_exception(t->exception).c_str());
  }
  if (failed) failures_.note(t);
  threads::sweep_companions(t);
  const bool empty = t->heap.release_empty() && !threads::has_companions(t);
  std::vector<JoinHead> joiners;
  if (t->joiner != nullptr || t->has_joiners) joiners = take_joiners(t, id);
  threads::keep_ties(t, id);
  t->id.store(0, std::memory_order_release);

  const bool waits =
      (failed || !empty) && joiners.empty();  // the exception and the memory, for who joins later
  if (Directory* home = locator_.directory_of(id); home != nullptr) {
    home->set_ended(id);
  } else {
    net_.send(locator_.home_rank_of(id), EndedHead{Kind::kEnded, waits ? 1u : 0u, id, net_.rank()});
  }

  if (!failed && empty) {
    for (const JoinHead& joiner : joiners) answer_join(joiner, Errc{}, "", nullptr);
    threads::forget_ties(t);
    scheduler().slots().retire(t);
    return;
  }
  leftovers_[id] = t;
  if (!joiners.empty()) {
    // What is left goes to one of them, best to one that is near.
    const auto nearness = [&](const JoinHead& j) {
      return j.joiner_rank == net_.rank() ? 0 : net_.same_node(j.joiner_rank) ? 1 : 2;
    };
    std::iter_swap(joiners.begin(), std::min_element(joiners.begin(), joiners.end(),
                                                     [&](const auto& a, const auto& b) {
                                                       return nearness(a) < nearness(b);
                                                     }));
    const std::string why =
        failed ? text("the thread ended with %s; another thread that joined it has the exception",
                      describe_exception(t->exception).c_str())
               : "";
    for (std::size_t i = 1; i < joiners.size(); ++i) {
      answer_join(joiners[i], failed ? Errc::thread_ended : Errc{}, why.c_str(), nullptr);
    }
    give_remains(joiners[0], id, t);
  }
  if (leftovers_.size() > swept_leftovers_) {
    sweep_leftovers();
    swept_leftovers_ = std::max<std::size_t>(64, 2 * leftovers_.size());
  }
}

// Where it is, or if it has ended, wherever on this node its memory may have gone to.
void Lifecycle::untie_elsewhere(Tcb* t, std::uint64_t id) {
  iso::HeapScope process;
  const UntieHead head{Kind::kUntie, 0, {id, t}};
  threads::on_rank_stack([&] {
    if (detail::owner_of(t) == t && t->id.load(std::memory_order_relaxed) == id)
      return net_.send(t->rank.load(std::memory_order_relaxed), head);
    for (int rank = 0; rank < net_.ranks(); ++rank) {
      if (rank != net_.rank() && net_.same_node(rank)) net_.send(rank, head);
    }
  });
}

std::span<const Kind> Lifecycle::kinds() const {
  static constexpr Kind kOwn[] = {Kind::kEnded, Kind::kJoin, Kind::kJoined, Kind::kUntie};
  return kOwn;
}

void Lifecycle::handle(int, const char* message, std::size_t bytes) {
  switch (read<Kind>(message)) {
    case Kind::kEnded:
      return on_ended(read<EndedHead>(message));
    case Kind::kJoin:
      return try_join(read<JoinHead>(message));
    case Kind::kUntie: {
      const Target thread = read<UntieHead>(message).thread;
      threads::untie_here(thread.control, thread.id);
      return;
    }
    default: {
      const auto head = read_to_why<JoinedHead>(message, bytes);
      return answer_here(head.joiner, head.code, head.why, head.remains);
    }
  }
}

}  // namespace roam::runtime
