#ifndef ROAM_THREADS_READY_QUEUE_H_
#define ROAM_THREADS_READY_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <new>
#include <random>
#include <utility>
#include <vector>

#include "isomalloc/heap.h"
#include "threads/tcb.h"

namespace roam::threads {

// FIFO of ready threads: a ring of pointers, so that queueing touches no other thread's memory, and
// the next threads are known early enough to be fetched into the cache. A thread is taken out of
// the middle by emptying its place. Nothing here fails: where there is no memory for a larger ring,
// threads wait behind it, linked through their control blocks; it is full then.
class ReadyQueue {
 public:
  bool empty() const { return places_ == emptied_; }
  std::size_t count() const { return places_ - emptied_ + behind_count_; }
  // Changes whenever a thread is taken from the front.
  std::uint64_t popped() const { return popped_before_ + head_; }

  void push(detail::Tcb* t) {
    if (places_ > mask_) [[unlikely]] {
      push_behind(t);
      return;
    }
    put(t, head_ + places_);
    ++places_;
  }

  // Next thread, or null.
  detail::Tcb* pop() {
    if (unusual_ != 0) [[unlikely]]
      return pop_unusual();
    return pop_first();
  }
  // The next thread, in exchange for `last`. Null, and nothing has changed, also if the first place
  // is an emptied one.
  [[gnu::always_inline]] detail::Tcb* exchange(detail::Tcb* last) {
    const std::uint64_t head = head_, places = places_;
    detail::Tcb* t = first();
    if (t == nullptr) [[unlikely]]
      return nullptr;
    head_ = head + 1;
    put(last, head + places);
    return t;
  }

  // REQUIRES: `t` is in the queue.
  void remove(detail::Tcb* t) {
    if (t->ring_position == kBehind) {
      take_from_behind(t);
      return;
    }
    ring_[t->ring_position & mask_] = nullptr;
    ++emptied_;
    skip_emptied();
    if (behind_ != nullptr) refill();
  }

  void shuffle(std::uint64_t seed) {
    unusual_ = seed != 0 ? unusual_ | kShuffled : unusual_ & ~kShuffled;
    random_.seed(seed);
  }

 private:
  static constexpr std::size_t kPrefetchFrom = 64;
  static constexpr std::uint64_t kBehind = ~std::uint64_t{0};  // the place of who waits there
  static constexpr unsigned kShuffled = 1, kWaitBehind = 2;    // of unusual_

  detail::Tcb* pop_first() {
    if (emptied_ != 0) [[unlikely]]
      skip_emptied();
    detail::Tcb* t = first();
    if (t == nullptr) return nullptr;
    ++head_;
    --places_;
    return t;
  }
  [[gnu::noinline]] detail::Tcb* pop_unusual() {
    if ((unusual_ & kShuffled) != 0) swap_random();
    detail::Tcb* t = pop_first();
    if (behind_ != nullptr) refill();
    return t;
  }

  // The ring is full.
  [[gnu::noinline]] void push_behind(detail::Tcb* t) {
    t->ring_position = kBehind;
    t->next = nullptr;
    t->previous = last_behind_;
    (last_behind_ != nullptr ? last_behind_->next : behind_) = t;
    last_behind_ = t;
    ++behind_count_;
    unusual_ |= kWaitBehind;
    grow();
    refill();
  }
  void take_from_behind(detail::Tcb* t) {
    (t->previous != nullptr ? t->previous->next : behind_) = t->next;
    (t->next != nullptr ? t->next->previous : last_behind_) = t->previous;
    t->next = t->previous = nullptr;
    if (--behind_count_ == 0) unusual_ &= ~kWaitBehind;
  }
  // Who waits behind the ring comes into it as far as there is room.
  void refill() {
    while (behind_ != nullptr && places_ <= mask_) {
      detail::Tcb* t = behind_;
      take_from_behind(t);
      put(t, head_ + places_);
      ++places_;
    }
  }

  [[gnu::always_inline]] void put(detail::Tcb* t, std::uint64_t position) {
    ring_[position & mask_] = t;
    t->ring_position = position;
  }

  // Null: the queue is empty, or its first place is.
  [[gnu::always_inline]] detail::Tcb* first() const {
    const std::uint64_t head = head_, places = places_;
    if (places == 0) return nullptr;
    // Beyond what the first-level cache holds anyway, start loading the threads that come next: a
    // control block four switches ahead, the end of its stack two ahead.
    if (places > kPrefetchFrom) {
      if (const detail::Tcb* far = ring_[(head + 4) & mask_]) __builtin_prefetch(far);
      if (const detail::Tcb* near = ring_[(head + 2) & mask_]) {
        const char* frame = static_cast<const char*>(near->context);
        __builtin_prefetch(frame);
        __builtin_prefetch(frame + 64);
      }
    }
    return ring_[head & mask_];
  }

  void skip_emptied() {
    while (places_ != 0 && ring_[head_ & mask_] == nullptr) {
      ++head_;
      --places_;
      --emptied_;
    }
  }

  // Where there is memory.
  void grow() {
    iso::HeapScope process;
    std::vector<detail::Tcb*> bigger;
    try {
      bigger.reserve(places_ - emptied_ < ring_.size() / 2
                         ? ring_.size()
                         : ring_.size() * 2);  // emptied places alone do not make it grow
    } catch (const std::bad_alloc&) {
      return;
    }
    for (; places_ != 0; ++head_, --places_) {
      if (detail::Tcb* t = ring_[head_ & mask_]) {
        t->ring_position = bigger.size();
        bigger.push_back(t);
      }
    }
    popped_before_ += head_;
    head_ = 0;
    places_ = bigger.size();
    emptied_ = 0;
    // Half of it empty places: as many pushes until the next time.
    bigger.resize(bigger.capacity(), nullptr);
    while ((bigger.size() & (bigger.size() - 1)) != 0) bigger.push_back(nullptr);
    ring_ = std::move(bigger);
    mask_ = ring_.size() - 1;
  }

  void swap_random() {
    if (places_ == 0) return;
    const std::uint64_t other = head_ + random_() % places_;
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
  std::uint64_t places_ = 0;  // from head_ on, those whose thread was taken out too
  std::size_t emptied_ = 0;   // those
  unsigned unusual_ = 0;
  std::mt19937_64 random_;
  detail::Tcb* behind_ = nullptr;  // who waits behind the full ring
  detail::Tcb* last_behind_ = nullptr;
  std::size_t behind_count_ = 0;
};

}  // namespace roam::threads

#endif  // ROAM_THREADS_READY_QUEUE_H_
