#include "isomalloc/process_blocks.h"

#include <malloc.h>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <mutex>

#include "base/check.h"
#include "base/lock.h"
#include "base/os/mappings.h"
#include "base/os/memory.h"
#include "base/sanitizers.h"
#include "isomalloc/helper_threads.h"

extern "C" {
void* __libc_malloc(std::size_t bytes) ROAM_OF_PROCESS("malloc");
void __libc_free(void* block) ROAM_OF_PROCESS("free");
}

namespace roam::iso {

std::atomic<bool> runtime_blocks_are_noted = false;

namespace {

// A set of addresses that lives beside malloc, which comes here, in a mapping of its own. An
// address lies in the first free place from its own on.
class AddressSet {
 public:
  void insert(Address address) {
    if (2 * (used_ + 1) > places_.bytes / sizeof(Address)) grow();
    Address* place = find(address);
    if (*place == address) return;
    *place = address;
    ++used_;
  }
  bool contains(Address address) const { return used_ != 0 && *find(address) == address; }
  bool erase(Address address) {
    if (!contains(address)) return false;
    Address* hole = find(address);
    *hole = 0;
    --used_;
    // What lies behind, up to the next free place, may have wanted that one.
    for (Address* at = next(hole); *at != 0; at = next(at)) {
      const Address moved = *at;
      *at = 0;
      *find(moved) = moved;
    }
    return true;
  }
  Range memory() const { return places_; }

 private:
  Address* first() const { return static_cast<Address*>(places_.pointer()); }
  std::size_t count() const { return places_.bytes / sizeof(Address); }
  Address* next(Address* place) const {
    return place + 1 == first() + count() ? first() : place + 1;
  }
  Address* find(Address address) const {
    Address* place = first() + (address * 0x9e3779b97f4a7c15 >> 20) % count();
    while (*place != 0 && *place != address) place = next(place);
    return place;
  }
  void grow() {
    const AddressSet old = *this;
    const std::size_t bytes = std::max(2 * places_.bytes, kFirstBytes);
    places_ = os::map_memory(bytes);
    ROAM_CHECK(places_.bytes != 0, "ROAM_CHECK: no memory for a table of %zu bytes", bytes);
    used_ = 0;
    for (std::size_t i = 0; i < old.count(); ++i) {
      if (old.first()[i] != 0) insert(old.first()[i]);
    }
    if (old.places_.bytes != 0) os::unreserve(old.places_);
  }

  // Room for a million: to map more calls the hooks of UCX.
  static constexpr std::size_t kFirstBytes = std::size_t{16} << 20;

  Range places_{};
  std::size_t used_ = 0;
};

Lock noted_lock;
constinit AddressSet noted;

Address address_of(const void* block) { return reinterpret_cast<Address>(block); }

bool (*made_by_runtime)() = nullptr;

// A chunk of glibc's malloc, which has been like this since 2.26 at least:
//
//   | of the chunk before | size, three flags | the block ...                     | next chunk
//   0                     8                   16                                  size
//
// The block has the next chunk's first word too. A freed block that glibc keeps for the same kernel
// thread looks used, but has a number in its second word that is the same in all of them.
struct Chunk {
  std::size_t before;
  std::size_t size_and_flags;
  Address words[2];

  static constexpr std::size_t kBeforeInUse = 1;
  static constexpr std::size_t kOwnMapping = 2;
  static constexpr std::size_t kLeast = 32;
  std::size_t bytes() const { return size_and_flags & ~std::size_t{7}; }
  Range block() const { return {reinterpret_cast<Address>(words), bytes() - sizeof(std::size_t)}; }
};

Address freed_mark = 0;

Address find_freed_mark() {
  auto* volatile block = static_cast<volatile Address*>(__libc_malloc(3 * sizeof(Address)));
  block[1] = 0;
  volatile Address* at = block;
  asm volatile("" : "+r"(at) : : "memory");  // not known to point at what is freed next
  __libc_free(const_cast<Address*>(block));
  return at[1];  // glibc's by now
}

}  // namespace

void note_runtime_blocks(bool (*mine)()) {
  made_by_runtime = mine;
  if (runtime_blocks_are_noted.load(std::memory_order_relaxed)) return;
  // Blocks that glibc frees into its other lists for quick use would look used. What is looked at
  // stays mapped.
  mallopt(M_MXFAST, 0);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  freed_mark = find_freed_mark();
  // What a block is wiped by is looked up once, by calls that free some: before frees are noted.
  void* const block = __libc_malloc(1);
  static_cast<void>(malloc_usable_size(block));
  __libc_free(block);
  runtime_blocks_are_noted.store(true, std::memory_order_release);
  look_at_process_allocations();
  look_at_process_frees(true);
}

void keep_runtime_block(void* block) {
  const std::lock_guard hold(noted_lock);
  noted.insert(address_of(block));
}

void note_process_block(void* block) {
  if (block != nullptr && made_by_runtime()) keep_runtime_block(block);
}

bool forget_process_block(void* block) {
  const std::lock_guard hold(noted_lock);
  return noted.erase(address_of(block));
}

bool is_runtime_block(const void* block) {
  const std::lock_guard hold(noted_lock);
  return noted.contains(address_of(block));
}

Range memory_of_notes() {
  const std::lock_guard hold(noted_lock);
  return noted.memory();
}

namespace {

template <class Visit>
void for_each_used_chunk(Range heap, Visit visit) {
  for (Address at = heap.begin; at + sizeof(Chunk) <= heap.end();) {
    const Chunk* chunk = reinterpret_cast<const Chunk*>(at);
    const std::size_t bytes = chunk->bytes();
    // The last is what malloc has not cut up yet.
    if (bytes < Chunk::kLeast || bytes % 16 != 0 || bytes > heap.end() - at - sizeof(Chunk)) break;
    const Chunk* next = reinterpret_cast<const Chunk*>(at + bytes);
    const bool kept = freed_mark != 0 && chunk->words[1] == freed_mark;
    if ((next->size_and_flags & Chunk::kBeforeInUse) != 0 && !kept) visit(chunk->block());
    at += bytes;
  }
}

}  // namespace

// The list itself is made before the heap is walked, so that it is in it.
std::vector<Range> process_blocks(Range heap) {
  std::size_t count = 0;
  for_each_used_chunk(heap, [&count](Range) { ++count; });
  std::vector<Range> blocks;
  blocks.reserve(count + 1);
  for_each_used_chunk(heap, [&blocks](Range block) {
    if (blocks.size() < blocks.capacity() && !is_runtime_block(block.pointer()))
      blocks.push_back(block);
  });
  return blocks;
}

Range block_in_mapping(Range mapping) {
  Chunk chunk{};
  if (mapping.bytes < kPageBytes || !os::copy_memory(Range{mapping.begin, sizeof chunk}, &chunk) ||
      chunk.before != 0 || (chunk.size_and_flags & 7) != Chunk::kOwnMapping ||
      chunk.bytes() % kPageBytes != 0 || chunk.bytes() == 0 || chunk.bytes() > mapping.bytes) {
    return {};
  }
  return {mapping.begin + offsetof(Chunk, words), chunk.bytes() - offsetof(Chunk, words)};
}

}  // namespace roam::iso
