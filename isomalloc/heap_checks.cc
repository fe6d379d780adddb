// What is asked of a pointer that a program gives back, before anything is done with it: a block
// that is no more, or an address where none begins, stops the program.

#include <cstring>

#include "base/check.h"
#include "isomalloc/heap.h"
#include "isomalloc/heap_head.h"

namespace roam::iso {

void Heap::freed_before(const void* block, const char* call) {
  if (std::strcmp(call, kFree) == 0) {
    fatal(
        "%p is freed twice. The first free gave it back to its thread's heap; find the second with "
        "a debugger (this message is where it happens).",
        block);
  }
  fatal(
      "%s(%p): that block was freed before, and is its thread's heap's again. Find this call with "
      "a "
      "debugger (this message is where it happens).",
      call, block);
}

void Heap::check_block(const Span* span, const void* block, const char* call) {
  if (span->large()) {
    const bool begins = reinterpret_cast<Address>(block) == span->first_block();
    if (begins && span->used == 1) return;
    if (begins && span->used == 0 && span->magic == Span::kMagic) freed_before(block, call);
  } else if (begins_block(span, block, __atomic_load_n(&span->made_bytes, __ATOMIC_RELAXED))) {
    if (span->in_hole(block)) freed_before(block, call);
    return;
  }
  fatal(
      "%s(%p): no block of a thread's heap begins there, though its heap holds that address. "
      "Pass what malloc or new returned.",
      call, block);
}

bool Heap::check_live(const Span* span, const FreeBlock* block, const char* call) const {
  const bool small = begins_block(span, block, span->made_bytes);
  if (!small || span->holes != 0) check_block(span, block, call);
  if (block->marked()) verify_not_free(span, block, call);
  return small;
}

Span* Heap::check_span(const void* block, const char* call) {
  Span* span = Span::of(block);
  ROAM_CHECK(arena().units().kind(span->begin()) == UnitKind::kSpan,
             "%s(%p): no thread's heap on this node holds that address. The thread that "
             "allocated it has moved to another node, or the pointer is wild, or it was freed "
             "before.",
             call, block);
  arena().leases().sync();
  check_block(span, block, call);
  return span;
}

Heap* Heap::check_head(const void* block, const char* call) {
  Arena& a = arena();
  ROAM_CHECK(!a.region(Region::kBlocks).contains(block),
             "%s(%p): that is a block of isomalloc, which iso_free or CmiIsomallocFree frees, and "
             "whose length iso_length or CmiIsomallocLength says.",
             call, block);
  const Address unit = round_down(reinterpret_cast<Address>(block), kUnitBytes);
  const UnitKind kind = a.units().kind(unit);
  const bool head = kind == UnitKind::kSlotHead || kind == UnitKind::kRemains;
  Heap* heap = head ? heap_of_slot(unit) : nullptr;
  ROAM_CHECK(
      heap != nullptr && heap->head_used().contains(block) &&
          reinterpret_cast<Address>(block) % kSmallestBlock == 0 && head_word(block)->state != 0,
      "%s(%p): that address is %s, not a block. Pass what malloc or new returned.", call, block,
      a.units().range_begin(unit) == 0 ? "in no thread that is on this node"
                                       : "on a thread's stack");
  if (head_word(block)->state == kHeadFreed) freed_before(block, call);
  ROAM_CHECK(head_word(block)->state == kHeadLive,
             "%s(%p): no block of a thread's heap begins there. Pass what malloc or new returned.",
             call, block);
  return heap;
}

std::size_t Heap::usable_bytes(const void* block, const char* call) {
  if (!heap_region.contains(block)) {
    check_head(block, call);
    return head_word(block)->bytes;
  }
  const Span* span = check_span(block, call);
  return span->large() ? span->large_bytes : span->block_bytes;
}

}  // namespace roam::iso
