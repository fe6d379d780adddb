// Joining threads. A join is carried to where the thread is, and waits there; it follows the thread
// when that moves.

#include <cstring>

#include "base/text.h"
#include "runtime/life/lifecycle.h"
#include "threads/scheduler.h"
#include "threads/slots.h"

namespace roam::runtime {

void Lifecycle::join(Tcb* self, Target t, Answer* answer) {
  const Target me{self->id.load(std::memory_order_relaxed), self};
  answer->joins = t;
  // Most often the thread is here, or was this rank's and has ended and left nothing.
  if (home_of(t.id) == net_.rank() && locator_.directory().known(t.id) &&
      locator_.directory().ended(t.id)) {
    if (leftovers_.empty() && !locator_.directory().any_remains()) {
      answer->done = true;
      return;
    }
  } else {
    int there = 0;
    Tcb* found = locator_.find_on_node(t, &there);
    if (found != nullptr && there == net_.rank() && found->joiner == nullptr) {
      self->answer = answer;
      found->joiner = self;
      return;
    }
  }
  self->answer = answer;
  try_join({Kind::kJoin, net_.rank(), t, me, 0});
}

void Lifecycle::try_join(const JoinHead& head) {
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
  switch (locator_.locate(head.target, &there)) {
    case Locator::Where::kHere: {
      Tcb* t = head.target.control;
      if (head.joiner_rank == net_.rank() && t->joiner == nullptr) {
        t->joiner = head.joiner.control;
      } else {
        joiners_[id].push_back(head);
        t->has_joiners = true;
      }
      return;
    }
    case Locator::Where::kThere:
      net_.send(there, head);
      return;
    case Locator::Where::kEnded:
      if (const auto it = leftovers_.find(id); it != leftovers_.end()) {
        give_remains(head, id, it->second);
      } else if (const auto at = locator_.directory_of(id)->take_remains(id);
                 at && *at != net_.rank()) {
        JoinHead onward = head;
        onward.at_remains = 1;
        net_.send(*at, onward);
      } else {
        answer_join(head, Errc{}, "", nullptr);
      }
      return;
    case Locator::Where::kUnknown:
      answer_join(
          head, Errc::no_such_thread,
          text("join: no thread ever had the id %llu", static_cast<unsigned long long>(id)).c_str(),
          nullptr);
      return;
    case Locator::Where::kLater:
      net_.keep_for_later(head);
      return;
  }
}

void Lifecycle::answer_join(const JoinHead& head, Errc code, const char* why, Tcb* remains) {
  if (head.joiner_rank == net_.rank()) {
    answer_here(head.joiner, code, why, remains);
    return;
  }
  JoinedHead reply;
  reply.kind = Kind::kJoined;
  reply.code = code;
  reply.joiner = head.joiner;
  reply.remains = remains;
  copy_text(reply.why, why);
  net_.send_to_why(head.joiner_rank, reply);
}

void Lifecycle::answer_here(Target asker, Errc code, const char* why, Tcb* remains) {
  if (remains != nullptr) {
    threads::Slots::welcome(remains);  // it may have ended on another rank of the node
    Answer* answer = awaited_answer(asker);
    answer->exception = std::move(remains->exception);
    adopt(asker.control, remains, answer->joins.id);
  }
  give_answer(asker, code, why);
}

void Lifecycle::on_ended(const EndedHead& head) {
  Directory& home = *locator_.directory_of(head.id);
  home.set_ended(head.id);
  if (head.remains != 0) {
    home.set_remains(head.id, head.rank);
  } else {
    home.forget_remains(head.id);
  }
}

// ---- joiners of threads that move ----

void Lifecycle::take(Tcb* t, std::vector<std::vector<char>>* messages) {
  for (const JoinHead& joiner : take_joiners(t, t->id.load(std::memory_order_relaxed))) {
    const char* bytes = reinterpret_cast<const char*>(&joiner);
    messages->emplace_back(bytes, bytes + sizeof joiner);
  }
}

void Lifecycle::remains_refused(Tcb* ended, int to, Errc code, const char* why, Target joiner) {
  JoinHead head{Kind::kJoin, to, {}, joiner, 0};
  answer_join(head, code,
              text("join: the thread ended with %s, which cannot be brought here: %s",
                   describe_exception(ended->exception).c_str(), why)
                  .c_str(),
              nullptr);
  ended->exception = nullptr;                             // it has been told
  leftovers_[~reinterpret_cast<Address>(ended)] = ended;  // nobody asks for it again
}

}  // namespace roam::runtime
