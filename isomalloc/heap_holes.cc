// Holes of a heap's spans: pages in which nothing lives, so that they need not travel. Their blocks
// leave the list of free ones, since its links would be lost, and are made anew where the thread
// goes on, page by page as they are needed.

#include <algorithm>
#include <bitset>

#include "isomalloc/heap.h"

namespace roam::iso {
namespace {

constexpr std::size_t kMostBlocks = kUnitBytes / kSmallestBlock;
constexpr std::uint32_t kPages = kUnitBytes / kPageBytes;

// Walking over free blocks of less than this costs about what sending them would, so most of the
// span has to be free.
constexpr std::uint32_t kWorthyBytes = 128;

bool may_have_holes(const Span& span) {
  const std::uint32_t live_bytes = span.used * span.block_bytes;
  const std::uint32_t free_bytes = span.made_bytes - live_bytes;
  return free_bytes >= kPageBytes && (span.block_bytes >= kWorthyBytes || free_bytes >= live_bytes);
}

// Which blocks of a span are free, by index.
class FreeBlocks {
 public:
  explicit FreeBlocks(const Span& span) : span_(span), made_(span.made_bytes / span.block_bytes) {
    for (const FreeBlock* b = span.free; b != nullptr; b = b->next)
      free_.set(index(reinterpret_cast<Address>(b)));
    for (std::uint32_t page = 0; page < kPages; ++page) {
      if ((span.holes >> page & 1) == 0) continue;
      for (std::size_t i = first_in(page); i < made_ && begin(i) < page_begin(page + 1); ++i)
        free_.set(i);
    }
  }
  // Whether no byte of a live block, and not the span's head, lies in the page.
  bool empty(std::uint32_t page) const {
    if (page_begin(page) < span_.first_block()) return false;
    std::size_t i = (page_begin(page) - span_.first_block()) / span_.block_bytes;
    for (; i < made_ && begin(i) < page_begin(page + 1); ++i) {
      if (!free_[i]) return false;
    }
    return true;
  }

 private:
  Address page_begin(std::uint32_t page) const { return span_.begin() + page * kPageBytes; }
  Address begin(std::size_t i) const { return span_.first_block() + i * span_.block_bytes; }
  std::size_t index(Address block) const {
    return (block - span_.first_block()) / span_.block_bytes;
  }
  std::size_t first_in(std::uint32_t page) const {
    return index(span_.first_block_from(page_begin(page)));
  }

  const Span& span_;
  std::size_t made_;
  std::bitset<kMostBlocks> free_;
};

}  // namespace

void Heap::find_holes() {
  for (Span* span = spans_; span != nullptr; span = span->next) {
    if (span->large()) continue;
    span->empty_pages = 0;
    if (may_have_holes(*span)) find_holes(span);
  }
}

void Heap::find_holes(Span* span) {
  const FreeBlocks blocks(*span);
  const std::uint32_t end = Span::page_of(span->touched().end() - 1) + 1;
  for (std::uint32_t page = 0; page < end; ++page) {
    if (blocks.empty(page)) span->empty_pages |= static_cast<std::uint16_t>(1u << page);
  }
  if (span->empty_pages == 0) return;
  // A hole of before may be empty no more, by a block that begins in front of it; the blocks that
  // begin in it are free still.
  span->holes |= span->empty_pages;
  FreeBlock** link = &span->free;
  for (FreeBlock* block = span->free; block != nullptr; block = block->next) {
    if (span->in_hole(block)) continue;
    *link = block;
    link = &block->next;
  }
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
