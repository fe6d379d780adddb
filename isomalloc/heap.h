#ifndef ROAM_ISOMALLOC_HEAP_H_
#define ROAM_ISOMALLOC_HEAP_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/range.h"
#include "isomalloc/arena.h"
#include "isomalloc/range_pool.h"
#include "isomalloc/size_class.h"

namespace roam::iso {

class Heap;

// A free block of a span: the link to the next one, and a mark that tells a second free. Each
// address has a mark of its own, since programs copy what they never wrote, old marks with it. A
// live block holds its own only by the user's hand, so a match is verified where that can be done.
struct FreeBlock {
  FreeBlock* next;
  std::uintptr_t mark;

  // Odd, so that it points to nothing; a sum, since that is one instruction.
  std::uintptr_t free_mark() const { return reinterpret_cast<Address>(this) + 0x5ee0f4ef; }
  bool marked() const { return mark == free_mark(); }
};

// The head of each 64 KiB span of a heap, found from a pointer into the span's first unit by
// masking. Small blocks of one size class fill the rest of the span; a large block has a span of
// its own, of as many units as it needs. Heads lie at one of sixteen places at the start of their
// unit, so that those of many spans do not fall into one cache set.
//
//   0           colour   + 128    first            first + made_bytes
//   | (nothing) | Span | (align) | block | block | ... never touched yet |
struct Span {
  static constexpr std::uint32_t kMagic = 0x4e415053;  // "SPAN"
  static constexpr std::uint16_t kLarge = 0xff;

  // Who frees a block from elsewhere reads `made_bytes` and `holes` while the owner makes others.

  // What allocate and free touch: one cache line.
  std::atomic<Heap*> heap;   // the owner; other threads read it to send a block home
  FreeBlock* free;           // blocks ready to be handed out
  std::uint64_t divides;     // n * divides wraps to less than it if block_bytes divides n; 0: large
  std::uint32_t first;       // of the first block's address, the low half
  std::uint32_t usual;       // a free so near behind `first` is a usual one; else 0: a large
                             // block, a span that is full, or one with holes
  std::uint32_t used;        // blocks handed out
  std::uint16_t size_class;  // or kLarge
  bool listed;               // among the spans of its class with free blocks
  bool dirty;                // a large block whose memory may not read as zeros
  Span* next_free;           // of its class with free blocks
  Span* last_free;           // in the first of its class: the last
  std::uint32_t made_bytes;  // of the blocks that were made so far, the only ones that were touched
  std::uint32_t fit_bytes;   // of the blocks that fit

  std::uint32_t block_bytes;
  std::uint32_t magic;
  std::uint16_t holes;        // a bit a page: blocks that begin there are free, to be made anew
  std::uint16_t empty_pages;  // a bit a page: held no byte of a live block at find_holes()
  bool huge;                  // a large block in huge pages, where they were to be had
  Span* next;                 // of the heap's
  Span* previous;
  std::size_t large_bytes;  // of a large block: usable bytes
  std::size_t units;        // address range, in units

  static Span* at(Address unit) {
    return reinterpret_cast<Span*>(unit + (unit / kUnitBytes % kColours) * 64);
  }
  static Span* of(const void* p) {
    // A block never begins at a unit's start, but a large one with such an alignment may: p - 1
    // finds its head.
    return at((reinterpret_cast<Address>(p) - 1) & ~(kUnitBytes - 1));
  }
  Address begin() const { return reinterpret_cast<Address>(this) & ~(kUnitBytes - 1); }
  Range range() const { return Range{begin(), units * kUnitBytes}; }
  bool large() const { return size_class == kLarge; }
  Address first_block() const { return begin() + (first - static_cast<std::uint32_t>(begin())); }
  static std::uint32_t page_of(Address a) {
    return static_cast<std::uint32_t>(a % kUnitBytes / kPageBytes);
  }
  bool in_hole(const void* p) const {
    const std::uint16_t now = __atomic_load_n(&holes, __ATOMIC_RELAXED);
    return (now >> page_of(reinterpret_cast<Address>(p)) & 1) != 0;
  }
  // Heap::make_blocks() can make small blocks, or tries to.
  bool has_room() const { return holes != 0 || made_bytes < fit_bytes; }
  void set_usual() { usual = listed && holes == 0 ? made_bytes : 0; }
  // Calls `visit` with each run of bytes that has to be sent, of a span of small blocks, after
  // find_holes().
  void for_each_run(const std::function<void(Range)>& visit) const;
  // Where the first block begins that does not begin before `a`.
  Address first_block_from(Address a) const {
    const Address blocks = first_block();
    return a <= blocks ? blocks : blocks + round_up(a - blocks, block_bytes);
  }
  // What may have been written, of a span of small blocks.
  Range touched() const {
    const Address head = reinterpret_cast<Address>(this);
    return Range{head, first_block() + made_bytes - head};
  }

  static constexpr std::size_t kColours = 16;
};
static_assert(sizeof(Span) <= 128);
// Room that is enough for every head, whatever its colour.
inline constexpr std::size_t kSpanHeadBytes = (Span::kColours - 1) * 64 + 128;
// From this size on a block is made of huge pages.
inline constexpr std::size_t kHugeBlockBytes = 2 * kHugePageBytes;

// Freed large blocks that a heap keeps for its next ones, most recent first.
inline constexpr std::size_t kSpareLarge = 4;
inline constexpr std::size_t kSpareUnits = 36;  // 2.25 MiB

// Spans without a live block that a heap keeps, and one for each eight with a free one.
inline constexpr std::uint32_t kKeptEmpty = 2;

// One thread's allocator. All of its state is in the arena, in the thread's own memory, so that it
// migrates by being moved. The owner uses no lock and no atomic read-modify-write; others send
// blocks home through `remote_`.
//
// The very first small blocks come from the head room: the rest of the page that holds the thread's
// control block, so that a thread with little data costs one page. Head blocks are made in order
// and their room is not used again.
class Heap {
 public:
  // Head blocks come from `head_room`.
  void start(Range head_room);
  // The same with its head room of before. REQUIRES: at_rest().
  void restart() {
    remote_.store(nullptr, std::memory_order_relaxed);
    head_at_ = head_.begin;
    head_live_ = 0;
    head_freed_elsewhere_.store(0, std::memory_order_relaxed);
  }
  // Whether it holds no span, as after release_empty() returned true: then it is as start() left
  // it, but for the head room.
  bool at_rest() const { return spans_ == nullptr && spare_units_ == 0; }

  // Context: the owner, or its rank's kernel thread while it does not run. nullptr with errno
  // ENOMEM.
  void* allocate(std::size_t bytes) {
    if (bytes <= kLargestSmall) [[likely]] {
      if (Span* span = current_[class_of(bytes)]; span != nullptr) [[likely]] {
        if (FreeBlock* block = span->free; block != nullptr) [[likely]]
          return take(span, block);
      }
    }
    return allocate_slow(bytes);
  }
  // The same, of a block that goes when its thread does: in the head room, if that has so much
  // left, whatever its size. Its page is there anyhow.
  void* allocate_for_life(std::size_t bytes);
  void* allocate_aligned(std::size_t alignment, std::size_t bytes);
  void* allocate_zeroed(std::size_t bytes);
  void* reallocate(void* block, std::size_t bytes);

  // Frees a block of any heap from the owner of this heap; stops the program on a pointer that is
  // no live block.
  void free(void* block);
  // The same of a block that lies in heap_region.
  void free_in_region(void* block) {
    Span* span = Span::of(block);
    if (span->heap.load(std::memory_order_relaxed) != this) [[unlikely]]
      return free_from_elsewhere(block);
    free_local(span, static_cast<FreeBlock*>(block));
  }

  // Frees a block of some thread's heap from elsewhere: another thread, another rank of the node,
  // plain code.
  static void free_from_elsewhere(void* block);
  // Usable bytes of a live block of any heap; stops the program where no block begins. `call` is
  // for the message.
  static std::size_t usable_bytes(const void* block, const char* call = "malloc_usable_size");
  // The same from the owner of this heap, which also knows blocks of its own that were freed.
  std::size_t live_bytes(const void* block, const char* call) const {
    if (!owns_block(block)) [[unlikely]]
      return usable_bytes(block, call);
    const Span* span = Span::of(block);
    const auto* begun = static_cast<const FreeBlock*>(block);
    if (!begins_block(span, block, span->usual) || begun->marked()) [[unlikely]]
      check_live(span, begun, call);
    return span->large() ? span->large_bytes : span->block_bytes;
  }
  // Whether `address` lies in this heap: in a span or the used part of the head room.
  bool contains(const void* address) const;

  // Whether the live block is in one of this heap's spans.
  bool owns_block(const void* block) const {
    return heap_region.contains(block) &&
           Span::of(block)->heap.load(std::memory_order_relaxed) == this;
  }

  // Takes in what others sent home.
  void collect();
  // Before the heap leaves this node: nothing can be sent home any more. The blocks sent so far are
  // taken in.
  void close_remote();
  // What has been sent home to one that was not closed stays.
  void open_remote();

  // Gives back spans without live blocks. True if nothing at all is live in the heap.
  bool release_empty() {
    if (spans_ == nullptr && remote_.load(std::memory_order_relaxed) == nullptr)
      return head_empty();
    return release_empty_spans();
  }
  // Gives back everything, live or not.
  void release_all();
  // Makes the spans of `other` this heap's. What is left of `other` are its head blocks.
  void adopt(Heap& other);
  bool head_empty() const {
    return head_live_ == head_freed_elsewhere_.load(std::memory_order_acquire);
  }

  // Before packing: makes holes of pages that hold no byte of a live block. Nothing waits to come
  // home. Cost: a look at some blocks of each page, at all of a span only where it has such a page.
  void find_holes();
  // Traversal for packing: each span of the heap.
  void for_each_span(const std::function<void(const Span&)>& visit) const;
  // Calls `visit` with each block that lives, of which a large one may be mostly untouched. Nothing
  // waits to come home.
  void for_each_live_block(const std::function<void(Range)>& visit) const;
  Range head_used() const { return Range{head_.begin, head_at_ - head_.begin}; }
  Range head_room() const { return head_; }
  std::size_t address_bytes() const { return address_bytes_; }

 private:
  friend struct HeapTest;

  static void* take(Span* span, FreeBlock* block) {
    span->free = block->next;
    ++span->used;
    block->mark = 0;
    return block;
  }
  // The other way, but for what becomes of an empty span.
  static void put(Span* span, FreeBlock* block) {
    block->mark = block->free_mark();
    block->next = span->free;
    span->free = block;
    --span->used;
  }
  static void send_home(void* block);
  void* allocate_slow(std::size_t bytes);
  void* allocate_head(std::size_t bytes);
  void* allocate_large(std::size_t bytes, std::size_t alignment);
  static void* take_large(Span* span);
  bool resize_large(void* block, std::size_t bytes, bool untouched = false);
  void* allocate_with_room(std::size_t bytes);
  static std::optional<RangePool::Allocation> take_range(std::size_t need, std::size_t slack);
  bool give_back();
  Span* new_span(std::uint32_t size_class);
  static void make_blocks(Span* span);
  static void make_free(Span* span, Address at, Address end);
  static void find_holes(Span* span);
  // What is not usual is a call at the end, so that the usual way saves no register.
  void free_local(Span* span, FreeBlock* block) {
    if (!begins_block(span, block, span->usual) || block->marked()) [[unlikely]]
      return free_unusual(span, block);
    put(span, block);
    if (span->used == 0) [[unlikely]]
      span_became_empty(span);
  }
  void free_unusual(Span* span, FreeBlock* block);
  void span_became_empty(Span* span);
  void release_span(Span* span);
  void free_large(Span* span);
  Span* take_spare(std::size_t units, std::size_t first, std::size_t alignment);
  bool release_empty_spans();
  void forget_spares() {  // they are empty spans like others from then on
    for (Span*& spare : spare_) spare = nullptr;
    spare_units_ = 0;
  }
  void list_free(Span* span);
  void pop_free(std::uint32_t size_class);
  void unlist_all();
  void release_empty_listed();
  void for_each_live_head_block(const std::function<void(Range)>& visit) const;
  void link(Span* span);
  void unlink(Span* span);
  static void free_head(void* block);
  // Whether a block of the span begins there, in the first `bytes` of its blocks.
  // Source of the test for divisibility: Lemire, Kaser, Kurz, "Faster remainder by direct
  // computation", 2019.
  static bool begins_block(const Span* span, const void* block, std::uint32_t bytes) {
    const std::uint32_t offset =
        static_cast<std::uint32_t>(reinterpret_cast<Address>(block)) - span->first;
    return offset < bytes && offset * span->divides < span->divides;
  }
  // They stop the program, with a message that names `call`, where no block begins, or one that is
  // known to be free: in a head room, whose heap is returned; in a span; anywhere in the region of
  // heaps. check_live(), the owner's, knows all that are free, and returns whether it is a small
  // one.
  static constexpr const char* kFree = "free";
  static Heap* check_head(const void* block, const char* call);
  static void check_block(const Span* span, const void* block, const char* call);
  static Span* check_span(const void* block, const char* call);
  bool check_live(const Span* span, const FreeBlock* block, const char* call) const;
  [[noreturn]] static void freed_before(const void* block, const char* call);
  void verify_not_free(const Span* span, const FreeBlock* block, const char* call) const;

  Span* spans_;  // all
  std::atomic<FreeBlock*> remote_;
  Range head_;
  Address head_at_;
  std::uint32_t head_live_;  // head blocks made less those that the owner freed
  std::atomic<std::uint32_t> head_freed_elsewhere_;
  std::size_t address_bytes_;  // of all spans
  std::size_t spare_units_;
  std::uint32_t listed_;         // spans with free blocks
  std::uint32_t emptied_;        // how often one became empty since empty ones were given back
  Span* current_[kSizeClasses];  // first span of the class with a free block, or null
  Span* spare_[kSpareLarge];
};

// The heap that malloc and new use in the calling context; null: the process's. Thread-local, since
// kernel threads other than the rank's own never have one.
extern thread_local constinit Heap* current_heap [[gnu::tls_model("initial-exec")]];

// The heap whose span or head room holds `address`; null if none does, on this node. Any context;
// reads only.
Heap* heap_of(const void* address);

// While one lives, allocations of the calling context come from `heap`; null: the process's.
class HeapScope {
 public:
  explicit HeapScope(Heap* heap = nullptr) : saved_(current_heap) {
    current_heap = heap;
    settle();
  }
  ~HeapScope() {
    settle();
    current_heap = saved_;
  }
  HeapScope(const HeapScope&) = delete;
  HeapScope& operator=(const HeapScope&) = delete;

 private:
  // GCC takes for granted that operator new reads no global variable, and would drop a store that
  // only new is to see.
  static void settle() { asm volatile("" ::: "memory"); }

  Heap* saved_;
};

// Set once by the layer above: where the Heap of the slot whose head unit is at `head_unit` lies.
extern Heap* (*heap_of_slot)(Address head_unit);

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_HEAP_H_
