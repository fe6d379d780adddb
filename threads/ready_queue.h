#ifndef ROAM_THREADS_READY_QUEUE_H_
#define ROAM_THREADS_READY_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "isomalloc/heap.h"
#include "threads/tcb.h"

namespace roam::threads {

// FIFO of ready threads: a ring of pointers, so that queueing touches no other thread's memory, and
// the next threads are known early enough to be fetched into the cache. A thread is taken out of
// the middle by emptying its place.
class ReadyQueue {
 public:
  bool empty() const { return count() == 0; }
  std::size_t count() const { return tail_ - head_ - emptied_; }
  // Changes whenever a thread is taken from the front.
  std::uint64_t popped() const { return popped_before_ + head_; }

  void push(detail::Tcb* t) {
    if (tail_ - head_ > mask_) [[unlikely]]
      grow();
    push_after_pop(t);
  }
  // The same where a pop has just made room.
  void push_after_pop(detail::Tcb* t) {
    t->ring_position = tail_;
    ring_[tail_ & mask_] = t;
    ++tail_;
  }

  // Next thread, or null.
  detail::Tcb* pop() {
    if (shuffle_) [[unlikely]]
      swap_random();
    detail::Tcb* t = pop_first();
    if (t == nullptr && emptied_ != 0) [[unlikely]] {
      skip_emptied();
      t = pop_first();
    }
    return t;
  }
  // Null also if the first place is an emptied one.
  [[gnu::always_inline]] detail::Tcb* pop_first() {
    const std::uint64_t head = head_, waiting = tail_ - head;
    if (waiting == 0) return nullptr;
    detail::Tcb* t = ring_[head & mask_];
    if (t == nullptr) [[unlikely]]
      return nullptr;
    head_ = head + 1;
    // Beyond what the first-level cache holds anyway, start loading the threads that come next: a
    // control block four switches ahead, the end of its stack two ahead.
    if (waiting > kPrefetchFrom) {
      if (const detail::Tcb* far = ring_[(head + 4) & mask_]) __builtin_prefetch(far);
      if (const detail::Tcb* near = ring_[(head + 2) & mask_]) {
        const char* frame = static_cast<const char*>(near->context);
        __builtin_prefetch(frame);
        __builtin_prefetch(frame + 64);
      }
    }
    return t;
  }

  // REQUIRES: `t` is in the queue.
  void remove(detail::Tcb* t) {
    ring_[t->ring_position & mask_] = nullptr;
    ++emptied_;
    skip_emptied();
  }

  void shuffle(std::uint64_t seed) {
    shuffle_ = seed != 0;
    random_.seed(seed);
  }

 private:
  static constexpr std::size_t kPrefetchFrom = 64;

  void skip_emptied() {
    while (head_ != tail_ && ring_[head_ & mask_] == nullptr) {
      ++head_;
      --emptied_;
    }
  }

  void grow() {
    iso::HeapScope process;
    std::vector<detail::Tcb*> bigger;
    bigger.reserve(count() < ring_.size() / 2
                       ? ring_.size()
                       : ring_.size() * 2);  // holes alone do not make it grow
    for (; head_ != tail_; ++head_) {
      if (detail::Tcb* t = ring_[head_ & mask_]) {
        t->ring_position = bigger.size();
        bigger.push_back(t);
      }
    }
    popped_before_ += head_;
    head_ = 0;
    tail_ = bigger.size();
    emptied_ = 0;
    // Half of it empty places: as many pushes until the next time.
    bigger.resize(bigger.capacity(), nullptr);
    while ((bigger.size() & (bigger.size() - 1)) != 0) bigger.push_back(nullptr);
    ring_ = std::move(bigger);
    mask_ = ring_.size() - 1;
  }

  void swap_random() {
    if (head_ == tail_) return;
    const std::uint64_t other = head_ + random_() % (tail_ - head_);
    detail::Tcb*& a = ring_[head_ & mask_];
    detail::Tcb*& b = ring_[other & mask_];
    if (a == nullptr || b == nullptr) return;
    std::swap(a, b);
    std::swap(a->ring_position, b->ring_position);
  }

  std::vector<detail::Tcb*> ring_ = std::vector<detail::Tcb*>(1024);
  std::uint64_t mask_ = 1023;
  std::uint64_t popped_before_ = 0;  // the last time that the ring grew
  std::uint64_t head_ = 0;
  std::uint64_t tail_ = 0;
  std::size_t emptied_ = 0;  // places whose thread was taken out
  bool shuffle_ = false;
  std::mt19937_64 random_;
};

}  // namespace roam::threads

#endif  // ROAM_THREADS_READY_QUEUE_H_
