// Blocks that grow and shrink.

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "isomalloc/heap.h"
#include "isomalloc/reallocated.h"

namespace roam::iso {

void* Heap::reallocate(void* block, std::size_t bytes) {
  if (block == nullptr) return allocate(bytes);
  const std::size_t usable = live_bytes(block, "realloc");
  // In place where it fits and wastes at most half.
  if (bytes <= usable && (bytes >= usable / 2 || usable <= kSmallestBlock)) return block;
  if (bytes > kLargestSmall && usable > kLargestSmall && resize_large(block, bytes)) return block;
  const bool grows = bytes > usable && bytes > kLargestSmall;
  return reallocated(
      block, usable, bytes, [&] { return grows ? allocate_with_room(bytes) : allocate(bytes); },
      [&](void* old) { free(old); });
}

// In place: what is too much goes back, what is missing is taken from behind if that is free.
bool Heap::resize_large(void* block, std::size_t bytes, bool untouched) {
  Span* span = Span::of(block);
  const Range old = span->range();
  const std::size_t first = span->first_block() - old.begin;
  if (bytes > arena().region(Region::kHeap).bytes - first) return false;
  const Range fresh{old.begin, round_up(first + bytes, kUnitBytes)};
  HeapScope process;
  RangePool& ranges = pool(Region::kHeap);
  if (fresh.bytes > old.bytes) {
    const Range more{old.end(), fresh.bytes - old.bytes};
    if (!arena().limit().charge(more.bytes)) return false;
    if (!ranges.extend(more)) {
      arena().limit().uncharge(more.bytes);
      return false;
    }
    arena().units().mark(more, UnitKind::kContinued);
  }
  const bool huge = bytes >= kHugeBlockBytes;
  if (huge && span->huge) {
    arena().huge_pages().resize(old, fresh);
  } else if (huge) {
    arena().huge_pages().prefer(fresh);
  } else if (span->huge) {
    arena().huge_pages().give_up(old);
  }
  span->huge = huge;
  if (fresh.bytes < old.bytes) {
    const Range rest{fresh.end(), old.bytes - fresh.bytes};
    arena().units().unmark(rest);
    arena().limit().uncharge(rest.bytes);
    ranges.free_behind(rest, untouched && !span->dirty ? 0 : rest.bytes);
  } else {
    span->dirty = true;  // where it grew over kept memory
  }
  address_bytes_ += fresh.bytes - old.bytes;
  span->units = fresh.bytes / kUnitBytes;
  span->large_bytes = fresh.bytes - first;
  return true;
}

// What has grown once may grow again: up to eight times as much is left free behind it where memory
// rests that is so long, else half as much. Nothing is given back for that: near ROAM_MEMORY it
// gets what it needs.
void* Heap::allocate_with_room(std::size_t bytes) {
  const std::size_t most = arena().region(Region::kHeap).bytes;
  if (bytes <= most / 8) {
    const std::size_t resting = pool(Region::kHeap).longest_resting();
    const std::size_t resting_room = resting - std::min(resting, kSpanHeadBytes);
    std::size_t roomy = std::clamp(resting_room, bytes + bytes / 2, 8 * bytes);
    const auto has = [](std::size_t room) {
      return arena().limit().has(round_up(room + kSpanHeadBytes, kUnitBytes));
    };
    if (!has(roomy)) roomy = bytes + bytes / 2;
    const int error = errno;
    if (void* block = has(roomy) ? allocate_large(roomy, kSmallestBlock) : nullptr;
        block != nullptr) {
      resize_large(block, bytes, true);
      return block;
    }
    errno = error;
  }
  return allocate(bytes);
}

}  // namespace roam::iso
