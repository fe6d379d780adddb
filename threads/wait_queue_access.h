#ifndef ROAM_THREADS_WAIT_QUEUE_ACCESS_H_
#define ROAM_THREADS_WAIT_QUEUE_ACCESS_H_

#include "threads/scheduler.h"

namespace roam::detail {

// The links of a WaitQueue, for the scheduler, which takes a thread out whose time has run out.
struct WaitQueueAccess {
  static Tcb* first(const WaitQueue& q) { return q.head_; }
  static void push(WaitQueue& q, Tcb* t) {
    t->queue = &q;
    if (t->passed_over) {  // it has waited before
      t->previous = nullptr;
      t->next = q.head_;
      (q.head_ != nullptr ? q.head_->previous : q.tail_) = t;
      q.head_ = t;
      return;
    }
    t->next = nullptr;
    t->previous = q.tail_;
    (q.tail_ != nullptr ? q.tail_->next : q.head_) = t;
    q.tail_ = t;
  }
  static void remove(WaitQueue& q, Tcb* t) {
    (t->previous != nullptr ? t->previous->next : q.head_) = t->next;
    (t->next != nullptr ? t->next->previous : q.tail_) = t->previous;
    t->next = t->previous = nullptr;
    t->queue = nullptr;
  }
};

}  // namespace roam::detail

#endif  // ROAM_THREADS_WAIT_QUEUE_ACCESS_H_
