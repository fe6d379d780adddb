// Holes of a heap's spans: pages in which nothing lives, so that they need not travel. Their blocks
// leave the list of free ones, since its links would be lost, and are made anew where the thread
// goes on, page by page as they are needed.

#include <algorithm>

#include "isomalloc/heap.h"

namespace roam::iso {
namespace {

// The blocks of a span that have been made, by what their marks say. Read in the order of their
// addresses, and never along the list of free ones, which a broken program may have damaged.
class MadeBlocks {
 public:
  explicit MadeBlocks(const Span& span) : span_(span), end_(span.touched().end()) {}

  Address page(std::uint32_t i) const { return span_.begin() + i * kPageBytes; }
  std::uint32_t pages() const { return Span::page_of(end_ - 1) + 1; }
  // Whether the block at `a` is free. It may be a live one that holds its own mark.
  bool free(Address a) const {
    const FreeBlock* block = reinterpret_cast<const FreeBlock*>(a);
    return span_.in_hole(block) || block->marked();
  }
  // Whether no byte of a live block, and not the span's head, lies in the page. Most pages say no
  // at their first block or second.
  bool empty(std::uint32_t i) const {
    const Address blocks = span_.first_block();
    if (page(i) < blocks) return false;
    const Address before = page(i) - (page(i) - blocks) % span_.block_bytes;
    for (Address a = before; a < std::min(page(i + 1), end_); a += span_.block_bytes) {
      if (!free(a)) return false;
    }
    return true;
  }
  // Calls `visit` with each free block.
  template <class Visit>
  void for_each_free(Visit visit) const {
    for (Address a = span_.first_block(); a < end_; a += span_.block_bytes) {
      if (free(a)) visit(reinterpret_cast<FreeBlock*>(a));
    }
  }

 private:
  const Span& span_;
  Address end_;
};

}  // namespace

void Heap::find_holes() {
  for (Span* span = spans_; span != nullptr; span = span->next) {
    if (span->large()) continue;
    span->empty_pages = 0;
    if (span->made_bytes - span->used * span->block_bytes >= kPageBytes) find_holes(span);
  }
}

void Heap::find_holes(Span* span) {
  const MadeBlocks blocks(*span);
  std::uint16_t empty_pages = 0;
  for (std::uint32_t page = 0; page < blocks.pages(); ++page) {
    if (blocks.empty(page)) empty_pages |= static_cast<std::uint16_t>(1u << page);
  }
  if (empty_pages == 0) return;
  std::uint32_t free = 0;
  blocks.for_each_free([&free](FreeBlock*) { ++free; });
  // Somebody wrote a mark into a live block, or over one: the span is left as it is.
  if (free != span->made_bytes / span->block_bytes - span->used) return;
  span->empty_pages = empty_pages;
  // A hole of before may be empty no more, by a block that begins in front of it; the blocks that
  // begin in it are free still.
  __atomic_store_n(&span->holes, static_cast<std::uint16_t>(span->holes | empty_pages),
                   __ATOMIC_RELAXED);
  FreeBlock** link = &span->free;
  blocks.for_each_free([span, &link](FreeBlock* block) {
    if (span->in_hole(block)) return;
    *link = block;
    link = &block->next;
  });
  *link = nullptr;
  span->set_usual();
}

void Span::for_each_run(const std::function<void(Range)>& visit) const {
  const Address end = touched().end();
  const auto is_empty = [this](Address a) { return (empty_pages >> page_of(a) & 1) != 0; };
  const auto page_end = [end](Address a) { return std::min(round_up(a + 1, kPageBytes), end); };
  for (Address at = touched().begin; at < end;) {
    const Address begin = at;
    while (at < end && !is_empty(at)) at = page_end(at);
    if (begin < at) visit(Range{begin, at - begin});
    while (at < end && is_empty(at)) at = page_end(at);
  }
}

}  // namespace roam::iso
