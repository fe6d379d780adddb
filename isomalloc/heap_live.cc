// What lives in a heap, for who looks at all of it.

#include "isomalloc/heap.h"

namespace roam::iso {

// As find_holes(): a small block is free if it is in a hole or holds its own mark.
void Heap::for_each_live_block(const std::function<void(Range)>& visit) const {
  for_each_live_head_block(visit);
  for_each_span([&visit](const Span& span) {
    if (span.used == 0) return;
    if (span.large()) {
      visit(Range{span.first_block(), span.large_bytes});
      return;
    }
    const Address end = span.touched().end();
    for (Address a = span.first_block(); a < end; a += span.block_bytes) {
      const FreeBlock* block = reinterpret_cast<const FreeBlock*>(a);
      if (!span.in_hole(block) && !block->marked()) visit(Range{a, span.block_bytes});
    }
  });
}

}  // namespace roam::iso
