// What ended threads leave: exceptions and memory, kept for who joins, and taken over by them.

#include <new>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/exceptions.h"
#include "roam/sync.h"
#include "runtime/life/lifecycle.h"
#include "threads/companions.h"
#include "threads/errands.h"
#include "threads/scheduler.h"
#include "threads/slots.h"
#include "threads/ties.h"

namespace roam::runtime {

using threads::scheduler;

// Ended threads whose memory has been freed since are done with; of the others no more is kept than
// that.
void Lifecycle::sweep_leftovers() {
  for (auto it = leftovers_.begin(); it != leftovers_.end();) {
    Tcb* t = it->second;
    if (!t->exception) {
      threads::sweep_companions(t);
      if (t->heap.release_empty() && !threads::has_companions(t)) {
        threads::forget_ties(t);
        scheduler().slots().retire(t);
        note_gone(it->first);
        it = leftovers_.erase(it);
        continue;
      }
    }
    scheduler().slots().shrink(t);
    ++it;
  }
}

// What the thread left on this rank is freed: its home does not send joiners here any more. An
// allocation may be under way just now, so poll() tells it.
void Lifecycle::note_gone(std::uint64_t id) {
  const int home = locator_.home_rank_of(id);  // of none if nobody could join it
  if (home < 0 || home == net_.rank()) return;
  gone_.push_back({Kind::kEnded, 0, id, net_.rank()});
  set_due(true);
}

// False: its exception stays in memory of the process.
bool Lifecycle::bring_home(Tcb* ended) {
  if (!iso::of_process(ended->exception)) return true;
  iso::HeapScope theirs(&ended->heap);
  try {
    ended->exception = detail::rehome_exception(ended->exception);
  } catch (const std::bad_alloc&) {  // then it stays where it is, and its text goes
  }
  return !iso::of_process(ended->exception);
}

// `ended` is on this rank, with memory or an exception: they go to the joiner, unless others of the
// rank use them. Memory alone stays on its node, and what the process refers to on its rank, for
// good, where it holds nobody.
void Lifecycle::give_remains(const JoinHead& head, std::uint64_t id, Tcb* ended) {
  const bool near = net_.same_node(head.joiner_rank);
  const bool elsewhere = head.joiner_rank != net_.rank();
  const bool used = open_objects_.has_lent(ended, id) || (elsewhere && ended->tied > 0);
  if (!ended->exception && (used || !near)) return answer_join(head, Errc{}, "", nullptr);
  if (elsewhere) {
    const bool of_thread = bring_home(ended);
    if (!of_thread || used) {
      const std::string why = text(
          "join: the thread ended with %s; it lies in memory of rank %d%s and cannot be "
          "brought here",
          describe_exception(ended->exception).c_str(), net_.rank(),
          of_thread ? " that others there use" : "");
      ended->exception = nullptr;
      return answer_join(head, Errc::thread_ended, why.c_str(), nullptr);
    }
  }
  leftovers_.erase(id);
  if (near) {
    // From now on nobody here waits for what lies in it.
    ended->rank.store(head.joiner_rank, std::memory_order_release);
    answer_join(head, Errc{}, "", ended);
  } else {
    mover_->migrator().depart(ended, head.joiner_rank, head.joiner);
  }
}

void Lifecycle::adopt(Tcb* joiner, Tcb* ended, std::uint64_t id) {
  if (ended->long_name != nullptr) threads::Slots::shorten_name(ended);
  ended->rank.store(net_.rank(), std::memory_order_relaxed);
  threads::inherit_ties(joiner, ended);
  open_objects_.inherit(joiner, ended, id);
  joiner->heap.adopt(ended->heap);
  threads::take_companions(joiner, ended);
}

// ---- checkpoints ----

void Lifecycle::settle() {
  for (const auto& [id, t] : leftovers_) bring_home(t);
}

std::string Lifecycle::obstacle() const {
  for (const auto& [id, t] : leftovers_) {
    if (!iso::of_process(t->exception)) continue;
    return text(
        "thread '%s' ended with an exception that nobody has joined, and that lies in "
        "memory of rank %d: %s",
        t->name(), net_.rank(), describe_exception(t->exception).c_str());
  }
  if (threads::waits_from_outside != 0)
    return text(
        "a kernel thread of the program waits on an object in memory of a thread on rank %d",
        net_.rank());
  return {};
}

void Lifecycle::save(StateWriter& out) {
  out.put<std::uint64_t>(leftovers_.size());
  for (const auto& [id, t] : leftovers_) {
    out.put(id);
    out.put<const Tcb*>(t);
  }
  const auto inherited = threads::inherited_ties();
  out.put<std::uint64_t>(inherited.size());
  for (const auto& [id, heir] : inherited) {
    out.put(id);
    out.put<const Tcb*>(heir);
  }
}

void Lifecycle::restore(int, StateReader& in) {
  for (auto left = in.get<std::uint64_t>(); left > 0; --left) {
    const auto id = in.get<std::uint64_t>();
    coming_leftovers_[in.get<const Tcb*>()] = id;
  }
  for (auto left = in.get<std::uint64_t>(); left > 0; --left) {
    const auto id = in.get<std::uint64_t>();
    threads::restore_inherited(id, const_cast<Tcb*>(in.get<const Tcb*>()));
  }
}

void Lifecycle::restored_leftover(Tcb* ended) {
  const auto it = coming_leftovers_.find(ended);
  ROAM_CHECK(it != coming_leftovers_.end(), "a checkpoint has what a thread left, and no number");
  const std::uint64_t id = it->second;
  coming_leftovers_.erase(it);
  leftovers_[id] = ended;
  const int home = locator_.home_rank_of(id);
  if (home >= 0 && home != net_.rank())
    net_.send(home, EndedHead{Kind::kEnded, 1, id, net_.rank()});
}

void Lifecycle::restored(Tcb* t) {
  const Answer* answer = static_cast<const Answer*>(t->answer);
  if (answer == nullptr || answer->done || answer->joins.id == 0) return;
  try_join(
      {Kind::kJoin, net_.rank(), answer->joins, {t->id.load(std::memory_order_relaxed), t}, 0});
}

void Lifecycle::poll() {
  for (; !gone_.empty(); gone_.pop_back())
    net_.send(locator_.home_rank_of(gone_.back().id), gone_.back());
  set_due(false);
}

// An exception that nobody joined must not go unseen.
int Lifecycle::report_unjoined() const {
  constexpr int kMostSaid = 4;
  int failed = 0;
  for (const auto& [id, t] : leftovers_) {
    if (!t->exception || ++failed > kMostSaid) continue;
    report(text("thread '%s' ended with an exception that nobody joined: %s", t->name(),
                describe_exception(t->exception).c_str())
               .c_str());
  }
  return failed;
}

}  // namespace roam::runtime
