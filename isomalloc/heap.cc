#include "isomalloc/heap.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <new>

#include "base/check.h"
#include "isomalloc/frees_of_others.h"
#include "isomalloc/heap_head.h"

namespace roam::iso {

thread_local constinit Heap* current_heap = nullptr;
Heap* (*heap_of_slot)(Address) = nullptr;

namespace {

// `remote_` of a heap that is not on this node.
FreeBlock* const kClosed = reinterpret_cast<FreeBlock*>(1);

constexpr std::size_t kLargestHead = 128;

bool in_heap_region(const void* p) { return heap_region.contains(p); }

}  // namespace

void Heap::start(Range head_room) {
  std::memset(static_cast<void*>(this), 0, sizeof *this);
  head_ = head_room;
  head_at_ = head_room.begin;
}

// ---- allocation ----

void* Heap::allocate_slow(std::size_t bytes) {
  if (bytes > kLargestSmall) return allocate_large(bytes, kSmallestBlock);
  const std::uint32_t size_class = class_of(bytes);
  if (bytes <= kLargestHead && current_[size_class] == nullptr) {
    if (void* block = allocate_head(bytes); block != nullptr) return block;
  }
  if (remote_.load(std::memory_order_relaxed) != nullptr) collect();
  for (;;) {
    Span* span = current_[size_class];
    if (span == nullptr) {
      span = new_span(size_class);
      if (span == nullptr) {
        if (!give_back()) return nullptr;
        continue;
      }
    }
    while (span->free == nullptr && span->has_room()) make_blocks(span);
    if (span->free != nullptr) return take(span, span->free);
    pop_free(size_class);  // full: a free lists it again
  }
}

void* Heap::allocate_for_life(std::size_t bytes) {
  void* block = allocate_head(bytes);
  return block != nullptr ? block : allocate(bytes);
}

void* Heap::allocate_head(std::size_t bytes) {
  const Address block = round_up(head_at_ + sizeof(HeadWord), kSmallestBlock);
  const Address end = block + std::max(bytes, std::size_t{1});
  if (end > head_.end()) return nullptr;
  head_at_ = end;
  void* p = reinterpret_cast<void*>(block);
  *head_word(p) = {kHeadLive, static_cast<std::uint32_t>(bytes)};
  ++head_live_;
  return p;
}

// Into the empty free list: those of a hole, or new ones. A hole in which no block begins brings
// none.
void Heap::make_blocks(Span* span) {
  const std::uint32_t block_bytes = span->block_bytes;
  const Address made_end = span->touched().end();
  if (span->holes != 0) {
    const Address page =
        span->begin() + static_cast<unsigned>(std::countr_zero(span->holes)) * kPageBytes;
    __atomic_store_n(&span->holes, static_cast<std::uint16_t>(span->holes & (span->holes - 1)),
                     __ATOMIC_RELAXED);
    span->set_usual();
    make_free(span, span->first_block_from(page), std::min(page + kPageBytes, made_end));
    return;
  }
  // As many as end in the page of the first: pages are touched as they are needed.
  const Address page_end = round_down(made_end, kPageBytes) + kPageBytes;
  const std::uint32_t in_page = static_cast<std::uint32_t>(page_end - made_end) / block_bytes;
  const std::uint32_t count = std::min(std::max<std::uint32_t>(1, in_page),
                                       (span->fit_bytes - span->made_bytes) / block_bytes);
  __atomic_store_n(&span->made_bytes, span->made_bytes + count * block_bytes, __ATOMIC_RELAXED);
  span->set_usual();
  make_free(span, made_end, span->touched().end());
}

// The blocks that begin from `at` on and before `end`.
void Heap::make_free(Span* span, Address at, Address end) {
  FreeBlock** link = &span->free;
  for (; at < end; at += span->block_bytes) {
    FreeBlock* block = reinterpret_cast<FreeBlock*>(at);
    block->mark = block->free_mark();
    *link = block;
    link = &block->next;
  }
  *link = nullptr;
}

// For a span of `need` bytes, somewhere in the range. malloc throws nothing, also where the
// process's own memory is out. Context: capture off.
std::optional<RangePool::Allocation> Heap::take_range(std::size_t need, std::size_t slack) {
  if (!arena().limit().charge(need)) return std::nullopt;
  std::optional<RangePool::Allocation> got;
  try {
    got = pool(Region::kHeap).allocate(need + slack);
  } catch (const std::bad_alloc&) {
    errno = ENOMEM;
  }
  if (!got) arena().limit().uncharge(need);
  return got;
}

// Where there is no memory for another span: empty ones are kept for a while. False: there was
// none.
bool Heap::give_back() {
  const std::size_t before = address_bytes_;
  release_empty_spans();
  errno = ENOMEM;
  return address_bytes_ != before;
}

Span* Heap::new_span(std::uint32_t size_class) {
  HeapScope process;
  const auto got = take_range(kUnitBytes, 0);
  if (!got) return nullptr;
  Span* span = Span::at(got->range.begin);
  std::memset(static_cast<void*>(span), 0, sizeof *span);
  const std::size_t block_bytes = class_bytes(size_class);
  // Blocks are aligned as their size is, up to a page.
  const std::size_t alignment = std::min<std::size_t>(block_bytes & (~block_bytes + 1), kPageBytes);
  const Address first = round_up(reinterpret_cast<Address>(span + 1), alignment);
  span->first = static_cast<std::uint32_t>(first);
  span->size_class = static_cast<std::uint16_t>(size_class);
  span->block_bytes = static_cast<std::uint32_t>(block_bytes);
  span->fit_bytes =
      static_cast<std::uint32_t>((got->range.end() - first) / block_bytes * block_bytes);
  span->units = 1;
  span->divides = ~std::uint64_t{0} / block_bytes + 1;
  link(span);
  list_free(span);
  return span;
}

void* Heap::allocate_large(std::size_t bytes, std::size_t alignment) {
  // The block begins after the head, at its alignment; from 64 KiB on, at the start of the unit
  // after the head's.
  const std::size_t first = round_up(kSpanHeadBytes, std::min(alignment, kUnitBytes));
  if (bytes > arena().region(Region::kHeap).bytes - 2 * kUnitBytes ||
      alignment > (std::size_t{1} << 40)) {
    arena().limit().note_shortage(MemoryLimit::Shortage::kAddresses);
    errno = ENOMEM;
    return nullptr;
  }
  if (remote_.load(std::memory_order_relaxed) != nullptr) collect();
  // Even a block of no bytes has room for what a free writes into it.
  const std::size_t need = round_up(first + std::max(bytes, kSmallestBlock), kUnitBytes);
  const std::size_t slack = alignment > kUnitBytes ? alignment : 0;
  if (spare_[0] != nullptr) {
    if (Span* span = take_spare(need / kUnitBytes, first, alignment); span != nullptr) {
      span->first = static_cast<std::uint32_t>(span->begin() + first);
      span->large_bytes = need - first;
      return take_large(span);
    }
  }
  HeapScope process;
  RangePool& ranges = pool(Region::kHeap);
  std::optional<RangePool::Allocation> got;
  while (!(got = take_range(need, slack))) {
    if (!give_back()) return nullptr;
  }
  Range range = got->range;
  if (slack != 0) {
    const Address begin = round_up(range.begin + kUnitBytes, alignment) - kUnitBytes;
    if (begin > range.begin)
      ranges.free(Range{range.begin, begin - range.begin}, got->clean ? 0 : begin - range.begin);
    if (begin + need < range.end()) {
      ranges.free(Range{begin + need, range.end() - begin - need},
                  got->clean ? 0 : range.end() - begin - need);
    }
    range = Range{begin, need};
  }
  Span* span = Span::at(range.begin);
  std::memset(static_cast<void*>(span), 0, sizeof *span);
  span->first = static_cast<std::uint32_t>(range.begin + first);
  span->size_class = Span::kLarge;
  span->large_bytes = range.bytes - first;
  span->dirty = !got->clean;
  span->huge = got->clean && bytes >= kHugeBlockBytes;
  if (span->huge) arena().huge_pages().prefer(range);
  span->units = range.bytes / kUnitBytes;
  link(span);
  return take_large(span);
}

// Old memory may hold the mark.
void* Heap::take_large(Span* span) {
  span->used = 1;
  FreeBlock* block = reinterpret_cast<FreeBlock*>(span->first_block());
  block->mark = 0;
  return block;
}

void* Heap::allocate_aligned(std::size_t alignment, std::size_t bytes) {
  if (alignment <= kSmallestBlock) return allocate(bytes);
  if (alignment <= kPageBytes && bytes <= kLargestSmall) {
    // A class whose size is a multiple of the alignment has its blocks aligned.
    for (std::uint32_t c = class_of(std::max(bytes, alignment)); c < kSizeClasses; ++c) {
      if (class_bytes(c) % alignment != 0) continue;
      while (class_bytes(c) <= kLargestHead && current_[c] == nullptr && new_span(c) == nullptr) {
        if (!give_back()) return nullptr;
      }
      return allocate(class_bytes(c));
    }
  }
  return allocate_large(bytes, alignment);
}

void* Heap::allocate_zeroed(std::size_t bytes) {
  void* p = allocate(bytes);
  if (p == nullptr) return nullptr;
  if (bytes <= kLargestSmall) return std::memset(p, 0, bytes);
  Span* span = Span::of(p);
  if (!span->dirty) return p;
  // Old memory: dropping whole pages costs less than clearing them, and leaves a sparse block
  // sparse.
  const Address begin = reinterpret_cast<Address>(p);
  const Address from = std::min(round_up(begin, kPageBytes), begin + bytes);
  const Address to = std::max(from, round_down(begin + bytes, kPageBytes));
  std::memset(p, 0, from - begin);
  arena().discard(Range{from, to - from});
  std::memset(reinterpret_cast<void*>(to), 0, begin + bytes - to);
  return p;
}

// ---- free ----

// Of the owner: what others sent home can grow meanwhile, but not shrink.
void Heap::verify_not_free(const Span* span, const FreeBlock* block, const char* call) const {
  for (const FreeBlock* b = span->free; b != nullptr; b = b->next) {
    if (b == block) freed_before(block, call);
  }
  const FreeBlock* b = remote_.load(std::memory_order_acquire);
  for (; b != nullptr && b != kClosed; b = b->next) {
    if (b == block) freed_before(block, call);
  }
}

// A block of a span that was full or has holes, one that somebody wrote the mark into, a large
// block, or none.
void Heap::free_unusual(Span* span, FreeBlock* block) {
  if (!check_live(span, block, kFree)) return free_large(span);
  put(span, block);
  if (!span->listed) list_free(span);
  if (span->used == 0) span_became_empty(span);
}

void Heap::free(void* block) {
  if (in_heap_region(block)) {
    free_in_region(block);
  } else if (head_used().contains(block) &&
             reinterpret_cast<Address>(block) % kSmallestBlock == 0 &&
             head_word(block)->state == kHeadLive) {
    head_word(block)->state = kHeadFreed;
    --head_live_;
  } else {
    free_head(block);
  }
}

// The last few are kept, so that a large block that is made and freed over and over costs no search
// for a range and no clearing of its head.
void Heap::free_large(Span* span) {
  if (span->units > kSpareUnits) {
    HeapScope process;
    release_span(span);
    return;
  }
  span->used = 0;
  span->dirty = true;
  while (spare_[kSpareLarge - 1] != nullptr || spare_units_ + span->units > kSpareUnits) {
    std::size_t last = kSpareLarge - 1;
    while (spare_[last] == nullptr) --last;
    Span* old = spare_[last];
    spare_[last] = nullptr;
    spare_units_ -= old->units;
    HeapScope process;
    release_span(old);
  }
  std::copy_backward(spare_, spare_ + kSpareLarge - 1, spare_ + kSpareLarge);
  spare_[0] = span;
  spare_units_ += span->units;
}

// One whose block, `first` bytes behind its begin, is aligned.
Span* Heap::take_spare(std::size_t units, std::size_t first, std::size_t alignment) {
  for (std::size_t i = 0; i < kSpareLarge && spare_[i] != nullptr; ++i) {
    Span* span = spare_[i];
    if (span->units != units || (span->begin() + first) % alignment != 0) continue;
    std::copy(spare_ + i + 1, spare_ + kSpareLarge, spare_ + i);
    spare_[kSpareLarge - 1] = nullptr;
    spare_units_ -= units;
    return span;
  }
  return nullptr;
}

// Empty spans stay listed for a while, so that calls at the edge do not make and drop one each
// time; looking for them at so few times costs little beside what is freed in between.
[[gnu::noinline]] void Heap::span_became_empty(Span* span) {
  if (span == current_[span->size_class]) return;
  if (++emptied_ > kKeptEmpty + listed_ / 8) release_empty_listed();
}

void Heap::free_head(void* block) {
  Heap* heap = check_head(block, kFree);
  head_word(block)->state = kHeadFreed;
  if (heap == current_heap) {
    --heap->head_live_;
  } else {
    heap->head_freed_elsewhere_.fetch_add(1, std::memory_order_release);
  }
}

void Heap::for_each_live_head_block(const std::function<void(Range)>& visit) const {
  for (Address at = head_.begin; at < head_at_;) {
    const Address block = round_up(at + sizeof(HeadWord), kSmallestBlock);
    const HeadWord* word = head_word(reinterpret_cast<void*>(block));
    if (word->state == kHeadLive) visit(Range{block, word->bytes});
    at = block + std::max<std::size_t>(word->bytes, 1);
  }
}

void Heap::free_from_elsewhere(void* memory) {
  if (frees_at_once) [[likely]]
    return send_home(memory);
  const FreeOfOther other;
  send_home(memory);
}

void Heap::send_home(void* memory) {
  if (!in_heap_region(memory)) {
    free_head(memory);
    return;
  }
  Span* span = check_span(memory, kFree);
  FreeBlock* block = static_cast<FreeBlock*>(memory);
  // The owner's list cannot be walked from here; that a live block holds the mark of its own
  // address by chance does not happen.
  if (block->marked()) freed_before(block, kFree);
  block->mark = block->free_mark();
  Heap* owner = span->heap.load(std::memory_order_acquire);
  FreeBlock* head = owner->remote_.load(std::memory_order_acquire);
  do {
    while (head == kClosed) {
      Heap* const heir = span->heap.load(std::memory_order_acquire);
      ROAM_CHECK(heir != owner, "free(%p): the thread that allocated it is leaving this node.",
                 memory);
      owner = heir;
      head = owner->remote_.load(std::memory_order_acquire);
    }
    block->next = head;
  } while (!owner->remote_.compare_exchange_weak(head, block, std::memory_order_release,
                                                 std::memory_order_acquire));
}

void Heap::collect() {
  FreeBlock* block = remote_.load(std::memory_order_relaxed);
  if (block == nullptr || block == kClosed) return;
  block = remote_.exchange(nullptr, std::memory_order_acquire);
  while (block != nullptr) {
    FreeBlock* next = block->next;
    block->mark = 0;
    free_in_region(block);  // from elsewhere still, if the span was adopted by another heap since
    block = next;
  }
}

void Heap::close_remote() {
  collect();
  FreeBlock* late = remote_.exchange(kClosed, std::memory_order_acq_rel);
  while (late != nullptr && late != kClosed) {
    FreeBlock* next = late->next;
    late->mark = 0;
    free(late);
    late = next;
  }
}

void Heap::open_remote() {
  FreeBlock* closed = kClosed;
  remote_.compare_exchange_strong(closed, nullptr, std::memory_order_release,
                                  std::memory_order_relaxed);
}

// ---- questions ----

Heap* heap_of(const void* address) {
  Arena& a = arena();
  if (!a.ready() || !a.contains(address)) return nullptr;
  const Address at = reinterpret_cast<Address>(address);
  if (a.region(Region::kSlots).contains(at)) {
    const Address unit = round_down(at, kUnitBytes);
    if (a.units().kind(unit) != UnitKind::kSlotHead && a.units().kind(unit) != UnitKind::kRemains)
      return nullptr;
    a.reach_head(unit);
    Heap* heap = heap_of_slot(unit);
    return heap->head_used().contains(at) ? heap : nullptr;
  }
  if (!a.region(Region::kHeap).contains(at)) return nullptr;
  const Address begin = a.units().range_begin(at);
  if (begin == 0 || a.units().kind(begin) != UnitKind::kSpan) return nullptr;
  a.reach(Range{begin, kUnitBytes});
  return Span::at(begin)->heap.load(std::memory_order_acquire);
}

bool Heap::contains(const void* address) const { return heap_of(address) == this; }

}  // namespace roam::iso
