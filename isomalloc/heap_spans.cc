// A heap's spans: how they are listed, given back, and taken over by another heap.

#include <algorithm>
#include <iterator>

#include "isomalloc/heap.h"

namespace roam::iso {

void Heap::link(Span* span) {
  span->magic = Span::kMagic;
  span->heap.store(this, std::memory_order_release);
  span->previous = nullptr;
  span->next = spans_;
  if (spans_ != nullptr) spans_->previous = span;
  spans_ = span;
  address_bytes_ += span->range().bytes;
  arena().units().mark(span->range(), UnitKind::kSpan);
}

void Heap::unlink(Span* span) {
  (span->previous != nullptr ? span->previous->next : spans_) = span->next;
  if (span->next != nullptr) span->next->previous = span->previous;
  address_bytes_ -= span->range().bytes;
}

// As the last: the first stays in use until it is full, and the others gather blocks meanwhile.
void Heap::list_free(Span* span) {
  span->listed = true;
  span->set_usual();
  span->next_free = nullptr;
  ++listed_;
  Span*& first = current_[span->size_class];
  if (first == nullptr) {
    first = span;
  } else {
    first->last_free->next_free = span;
  }
  first->last_free = span;
}

void Heap::pop_free(std::uint32_t size_class) {
  Span* span = current_[size_class];
  Span* next = span->next_free;
  if (next != nullptr) next->last_free = span->last_free;
  current_[size_class] = next;
  span->listed = false;
  span->set_usual();
  --listed_;
}

// What is `listed` still says so, for who lists it again.
void Heap::unlist_all() {
  std::fill(std::begin(current_), std::end(current_), nullptr);
  listed_ = emptied_ = 0;
}

// But for the first of each class.
void Heap::release_empty_listed() {
  HeapScope process;
  emptied_ = 0;
  for (Span* first : current_) {
    if (first == nullptr) continue;
    Span* before = first;
    while (Span* span = before->next_free) {
      if (span->used != 0) {
        before = span;
        continue;
      }
      before->next_free = span->next_free;
      --listed_;
      release_span(span);
    }
    first->last_free = before;
  }
}

// Context: capture off. The span is not listed any more.
void Heap::release_span(Span* span) {
  unlink(span);
  const Range range = span->range();
  const std::size_t in_use =
      span->large() ? range.bytes : round_up(span->touched().end() - range.begin, kPageBytes);
  if (span->huge) arena().huge_pages().give_up(range);
  span->magic = 0;
  span->heap.store(nullptr, std::memory_order_release);
  arena().units().unmark(range);
  arena().limit().uncharge(range.bytes);
  pool(Region::kHeap).free(range, in_use);
}

bool Heap::release_empty_spans() {
  collect();
  HeapScope process;
  forget_spares();
  unlist_all();
  for (Span* span = spans_; span != nullptr;) {
    Span* next = span->next;
    if (span->used == 0) {
      release_span(span);
    } else if (span->listed) {
      list_free(span);
    }
    span = next;
  }
  return spans_ == nullptr && head_empty();
}

void Heap::release_all() {
  HeapScope process;
  forget_spares();
  unlist_all();
  while (spans_ != nullptr) release_span(spans_);
}

void Heap::adopt(Heap& other) {
  other.release_empty();
  other.unlist_all();
  while (other.spans_ != nullptr) {
    Span* span = other.spans_;
    other.unlink(span);
    span->heap.store(this, std::memory_order_release);
    span->previous = nullptr;
    span->next = spans_;
    if (spans_ != nullptr) spans_->previous = span;
    spans_ = span;
    address_bytes_ += span->range().bytes;
    if (span->listed) list_free(span);
  }
  // What was sent home meanwhile goes on to this heap, and so does what somebody is sending who has
  // read whose the span was: closed, the list tells him to read it again.
  other.close_remote();
}

void Heap::for_each_span(const std::function<void(const Span&)>& visit) const {
  for (const Span* span = spans_; span != nullptr; span = span->next) visit(*span);
}

}  // namespace roam::iso
