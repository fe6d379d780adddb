// The scheduler's part in moves: who leaves its queues, and who comes to them.

#include <new>

#include "base/sanitizers.h"
#include "threads/scheduler.h"

namespace roam::threads {

bool Scheduler::send_off(Tcb* t, int rank) {
  try {
    iso::HeapScope process;
    departing_.emplace_back(t, rank);
  } catch (const std::bad_alloc&) {
    return false;
  }
  sleepers_.remove(t);
  t->state = State::kDeparting;
  t->move_to = -1;
  visit_next();
  return true;
}

void Scheduler::depart(Tcb* t, int rank) {
  sanitizers::stack_gone(t->slot);
  KernelState::departs(t);
  host_->depart(t, rank);
}

void Scheduler::resume_arrived(Tcb* t) {
  sanitizers::stack_arrived(t->slot);
  t->state = State::kReady;
  const bool goes_on = t->move_to >= 0 && t->move_to != rank_;
  if (goes_on && !t->destined && may_move(t) && send_off(t, t->move_to)) return;
  if (!goes_on) t->move_to = -1;  // else it goes when it may
  if (t->deadline_ns != 0) {
    t->state = State::kSleeping;
    sleepers_.add(t, t->deadline_ns);
  } else {
    ready_.push(t);
  }
}

void Scheduler::resume_as_it_was(Tcb* t) {
  sanitizers::stack_arrived(t->slot);
  if (t->deadline_ns != 0) {
    sleepers_.add(t, t->deadline_ns);
  } else if (t->state == State::kReady) {
    ready_.push(t);
  }
}

void Scheduler::ask_to_move(Tcb* t, int rank) {
  if (t->state == State::kDeparting) {
    t->move_to = rank;  // it goes on from where it arrives
    return;
  }
  if (rank == rank_) {
    t->move_to = -1;
    return;
  }
  if (t->destined) {
    t->move_to = rank;  // it looks when it runs
    return;
  }
  if (t == current_) budget_ = 0;  // its next switch takes the slow way, which looks
  const bool still = t->state == State::kReady || t->state == State::kSleeping ||
                     (t->state == State::kBlocked && t->loose);
  const bool ready = t->state == State::kReady;
  if (t == current_ || !may_move(t) || !still || !send_off(t, rank)) {
    t->move_to = rank;
    return;
  }
  if (ready) ready_.remove(t);
}

}  // namespace roam::threads
