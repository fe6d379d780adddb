// Calls about a thread: where it is, joining it, asking it to move. They are carried to where the
// thread is.

#include <cstring>

#include "base/check.h"
#include "base/text.h"
#include "runtime/runtime.h"

namespace roam::runtime {

using detail::State;
using threads::scheduler;

namespace {
template <std::size_t N>
void copy_text(char (&to)[N], const char* from) {
  const std::size_t length = strnlen(from, N - 1);
  std::memcpy(to, from, length);
  to[length] = '\0';
}
}  // namespace

// ---- finding threads ----

// The rank is read before the id. A thread of this rank stays one until this rank lets it go, so an
// id that is read after this rank was seen belongs to it. The other way round, the thread may end
// on another rank between the two, and its slot come here with the next thread.
Tcb* Runtime::find_on_node(Target t, int* there) const {
  iso::Arena& arena = iso::arena();
  const Address at = reinterpret_cast<Address>(t.control);
  if (!arena.region(iso::Region::kSlots).contains(at)) return nullptr;
  const Address unit = round_down(at, iso::kUnitBytes);
  if (arena.kind(unit) != iso::UnitKind::kSlotHead || detail::tcb_of_head_unit(unit) != t.control)
    return nullptr;
  arena.reach_head(unit);
  *there = t.control->rank.load(std::memory_order_acquire);
  if (t.control->id.load(std::memory_order_acquire) != t.id) return nullptr;
  // Memory of a thread that left may be dropped at any time, and then reads as rank 0.
  if (*there == rank() && t.control->rank.load(std::memory_order_acquire) != rank()) *there = -1;
  return *there >= 0 ? t.control : nullptr;
}

Runtime::Where Runtime::locate(Target t, int* there) const {
  const int home = home_of(t.id);
  if (t.id == 0 || home < 0 || home >= ranks()) return Where::kUnknown;
  if (find_on_node(t, there) != nullptr) return *there == rank() ? Where::kHere : Where::kThere;
  if (home != rank()) {
    *there = home;
    return Where::kThere;
  }
  if (!directory_->known(t.id)) return Where::kUnknown;
  if (directory_->ended(t.id)) return Where::kEnded;
  const auto away = directory_->away(t.id);
  if (!away || *away == rank()) return Where::kLater;  // on its way: news will come
  *there = *away;
  return Where::kThere;
}

// ---- joining ----

void Runtime::join(Tcb* self, Target t, Answer* answer) {
  const Target me{self->id.load(std::memory_order_relaxed), self};
  // Most often the thread is here, or was this rank's and has ended and left nothing.
  if (home_of(t.id) == rank() && directory_->known(t.id) && directory_->ended(t.id)) {
    if (leftovers_.empty() && !directory_->any_remains()) {
      answer->done = true;
      return;
    }
  } else {
    int there = 0;
    Tcb* found = find_on_node(t, &there);
    if (found != nullptr && there == rank() && found->joiner == nullptr) {
      self->answer = answer;
      found->joiner = self;
      return;
    }
  }
  self->answer = answer;
  try_join({Kind::kJoin, rank(), t, me, 0});
}

void Runtime::try_join(const JoinHead& head) {
  const std::uint64_t id = head.target.id;
  int there = 0;
  if (head.at_remains != 0) {
    const auto it = leftovers_.find(id);
    if (it != leftovers_.end()) {
      give_remains(head, id, it->second);
    } else {
      answer_join(head, Errc{}, "", nullptr);  // another joiner had it
    }
    return;
  }
  switch (locate(head.target, &there)) {
    case Where::kHere: {
      Tcb* t = head.target.control;
      if (head.joiner_rank == rank() && t->joiner == nullptr) {
        t->joiner = head.joiner.control;
      } else {
        joiners_[id].push_back(head);
        t->has_joiners = true;
      }
      return;
    }
    case Where::kThere:
      send(there, head);
      return;
    case Where::kEnded:
      if (const auto it = leftovers_.find(id); it != leftovers_.end()) {
        give_remains(head, id, it->second);
      } else if (const auto at = directory_->take_remains(id); at && *at != rank()) {
        JoinHead onward = head;
        onward.at_remains = 1;
        send(*at, onward);
      } else {
        answer_join(head, Errc{}, "", nullptr);
      }
      return;
    case Where::kUnknown:
      answer_join(
          head, Errc::no_such_thread,
          text("join: no thread ever had the id %llu", static_cast<unsigned long long>(id)).c_str(),
          nullptr);
      return;
    case Where::kLater:
      keep_for_later(head);
      return;
  }
}

void Runtime::answer_join(const JoinHead& head, Errc code, const char* why, Tcb* remains) {
  if (head.joiner_rank == rank()) {
    answer_here(head.joiner, code, why, remains);
    return;
  }
  JoinedHead reply;
  reply.kind = Kind::kJoined;
  reply.code = code;
  reply.joiner = head.joiner;
  reply.remains = remains;
  copy_text(reply.why, why);
  send(head.joiner_rank, reply);
}

// A thread that waits for an answer stays where it asked, so the answer finds it.
void Runtime::answer_here(Target asker, Errc code, const char* why, Tcb* remains) {
  Tcb* self = asker.control;
  ROAM_CHECK(self->id.load(std::memory_order_relaxed) == asker.id && self->answer != nullptr,
             "an answer came for thread %llu, which does not wait for one",
             static_cast<unsigned long long>(asker.id));
  Answer* answer = static_cast<Answer*>(self->answer);
  self->answer = nullptr;
  answer->code = code;
  if (*why != '\0') copy_text(answer->why, why);
  if (remains != nullptr) {
    threads::Scheduler::welcome(remains);  // it may have ended on another rank of the node
    answer->exception = std::move(remains->exception);
    adopt(self, remains);
  }
  answer->done = true;
  if (self->state == State::kBlocked) scheduler().make_ready(self);
}

void Runtime::on_ended(const EndedHead& head) {
  directory_->set_ended(head.id);
  if (head.remains != 0) {
    directory_->set_remains(head.id, head.rank);
  } else {
    directory_->forget_remains(head.id);
  }
}

// ---- moving ----

void Runtime::move(Tcb* self, Target t, int to, Answer* answer) {
  const Target me{self->id.load(std::memory_order_relaxed), self};
  self->answer = answer;
  try_move({Kind::kMove, to, t, me, rank()});
}

void Runtime::try_move(const MoveHead& head) {
  int there = 0;
  switch (locate(head.target, &there)) {
    case Where::kHere: {
      Tcb* t = head.target.control;
      take_closed();
      if (t->pins > 0 || t->open_objects > 0) {
        answer_move(head, Errc::pinned,
                    text("migrate: thread '%s' stays on rank %d: %s", t->name(), rank(),
                         pinned_by(t).c_str()));
        return;
      }
      scheduler().ask_to_move(t, head.to);
      answer_move(head, Errc{}, "");
      return;
    }
    case Where::kThere:
      send(there, head);
      return;
    case Where::kEnded:
      answer_move(head, Errc::thread_ended,
                  text("migrate: the thread with id %llu has ended",
                       static_cast<unsigned long long>(head.target.id)));
      return;
    case Where::kUnknown:
      answer_move(head, Errc::no_such_thread,
                  text("migrate: no thread ever had the id %llu",
                       static_cast<unsigned long long>(head.target.id)));
      return;
    case Where::kLater:
      keep_for_later(head);
      return;
  }
}

void Runtime::answer_move(const MoveHead& head, Errc code, const std::string& why) {
  if (head.asker_rank == rank()) {
    answer_here(head.asker, code, why.c_str(), nullptr);
    return;
  }
  MovedHead reply;
  reply.kind = Kind::kMoved;
  reply.code = code;
  reply.asker = head.asker;
  copy_text(reply.why, why.c_str());
  send(head.asker_rank, reply);
}

}  // namespace roam::runtime
