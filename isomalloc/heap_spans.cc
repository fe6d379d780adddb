// A heap's spans: how they are listed, given back, and taken over by another heap.

#include "isomalloc/heap.h"
#include "isomalloc/range_pool.h"

namespace roam::iso {

void Heap::link(Span* span) {
  span->magic = Span::kMagic;
  span->heap.store(this, std::memory_order_release);
  span->previous = nullptr;
  span->next = spans_;
  if (spans_ != nullptr) spans_->previous = span;
  spans_ = span;
  address_bytes_ += span->range().bytes;
  arena().mark(span->range(), UnitKind::kSpan);
}

void Heap::unlink(Span* span) {
  (span->previous != nullptr ? span->previous->next : spans_) = span->next;
  if (span->next != nullptr) span->next->previous = span->previous;
  address_bytes_ -= span->range().bytes;
}

void Heap::list_free(Span* span) {
  Span*& head = current_[span->size_class];
  // Behind the first: the span in use stays in use until it is full.
  span->listed = true;
  span->usual = span->made_bytes;
  span->previous_free = head;
  span->next_free = head != nullptr ? head->next_free : nullptr;
  if (span->next_free != nullptr) span->next_free->previous_free = span;
  (head != nullptr ? head->next_free : head) = span;
}

void Heap::unlist_free(Span* span) {
  (span->previous_free != nullptr ? span->previous_free->next_free : current_[span->size_class]) =
      span->next_free;
  if (span->next_free != nullptr) span->next_free->previous_free = span->previous_free;
  span->next_free = span->previous_free = nullptr;
  span->listed = false;
  span->usual = 0;
}

// Context: capture off.
void Heap::release_span(Span* span) {
  if (span->listed) unlist_free(span);
  unlink(span);
  const Range range = span->range();
  const std::size_t in_use =
      span->large() ? range.bytes : round_up(span->touched().end() - range.begin, kPageBytes);
  if (span->huge) arena().prefer_small_pages(range);
  span->magic = 0;
  span->heap.store(nullptr, std::memory_order_release);
  arena().unmark(range);
  pool(Region::kHeap).free(range, in_use);
}

bool Heap::release_empty_spans() {
  collect();
  HeapScope process;
  forget_spares();
  for (Span* span = spans_; span != nullptr;) {
    Span* next = span->next;
    if (span->used == 0) release_span(span);
    span = next;
  }
  return spans_ == nullptr && head_empty();
}

void Heap::release_all() {
  HeapScope process;
  forget_spares();
  while (spans_ != nullptr) release_span(spans_);
}

void Heap::adopt(Heap& other) {
  other.release_empty();
  while (other.spans_ != nullptr) {
    Span* span = other.spans_;
    if (span->listed) other.unlist_free(span);
    other.unlink(span);
    span->heap.store(this, std::memory_order_release);
    span->previous = nullptr;
    span->next = spans_;
    if (spans_ != nullptr) spans_->previous = span;
    spans_ = span;
    address_bytes_ += span->range().bytes;
    if (!span->large() && (span->free != nullptr || span->made() < span->capacity)) list_free(span);
  }
  other.collect();  // what was sent home meanwhile: it goes on to this heap
}

void Heap::for_each_span(const std::function<void(const Span&)>& visit) const {
  for (const Span* span = spans_; span != nullptr; span = span->next) visit(*span);
}

}  // namespace roam::iso
