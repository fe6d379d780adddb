#ifndef ROAM_ISOMALLOC_TEST_HEAP_H_
#define ROAM_ISOMALLOC_TEST_HEAP_H_

#include "base/range.h"
#include "isomalloc/arena.h"
#include "isomalloc/heap.h"
#include "isomalloc/range_pool.h"

namespace roam::iso {

// For tests: a heap in the head page of a slot of its own, as a thread has it. Needs a TestArena
// that outlives it.
class TestHeap {
 public:
  static constexpr std::size_t kSlotBytes = 2 * kUnitBytes;

  // `head_bytes`: head room.
  explicit TestHeap(std::size_t head_bytes = 1024) {
    heap_of_slot = [](Address head_unit) {
      return reinterpret_cast<Heap*>(head_unit + kUnitBytes - kPageBytes);
    };
    slot_ = pool(Region::kSlots).allocate(kSlotBytes)->range;
    arena().units().mark(slot_, UnitKind::kSlot);
    arena().units().set_kind(slot_.end() - kUnitBytes, UnitKind::kSlotHead);
    const Address room = head_page().begin + round_up(sizeof(Heap), kSmallestBlock);
    heap().start(Range{room, head_bytes});
  }
  ~TestHeap() {
    if (slot_.bytes == 0) return;
    heap().release_all();
    arena().units().unmark(slot_);
    pool(Region::kSlots).free(slot_, kPageBytes);
  }
  TestHeap(const TestHeap&) = delete;
  TestHeap& operator=(const TestHeap&) = delete;

  Heap& heap() const { return *static_cast<Heap*>(head_page().pointer()); }
  Heap* operator->() const { return &heap(); }
  Range head_page() const { return Range{slot_.end() - kPageBytes, kPageBytes}; }
  Range slot() const { return slot_; }
  // An address where a thread's stack would be.
  void* stack_address() const { return reinterpret_cast<void*>(head_page().begin - 512); }

 private:
  Range slot_;
};

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_TEST_HEAP_H_
