#ifndef ROAM_ISOMALLOC_UNIT_MAP_H_
#define ROAM_ISOMALLOC_UNIT_MAP_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/range.h"
#include "isomalloc/layout.h"

namespace roam::iso {

// What a unit of the arena holds on this node. One byte a unit, in memory that the ranks of a node
// share.
enum class UnitKind : std::uint8_t {
  kNone = 0,    // nothing that is here: free, or away on another node
  kContinued,   // belongs to the range that begins in an earlier unit
  kSlot,        // first unit of a thread's slot
  kSlotHead,    // last unit of a slot: the control block is in it
  kSpan,        // first unit of a span of a thread's heap
  kBlock,       // first unit of an explicit block
  kFreedBlock,  // a block that was freed and rests before its range is handed out again
  kKept,        // its thread has left the node; the memory is kept for its return, and says nothing
  kEvicting,    // kept memory that is being given back just now
  kRemains,     // an ended thread's control block and what it left in its head room; no stack
  kLeaving = 16,  // from here on: its thread is on its way to another node, sent by the node's rank
                  // with the number that the rest says, and may still be refused there
};
// Whether a unit's memory is neither free nor in use: its thread is away.
constexpr bool is_away(UnitKind kind) {
  return kind == UnitKind::kKept || kind == UnitKind::kEvicting || kind >= UnitKind::kLeaving;
}
// Whether it holds something that is here.
constexpr bool lives(UnitKind kind) { return kind != UnitKind::kNone && !is_away(kind); }

// What of a range was kept when it was claimed.
enum class Claimed { kNothingKept, kSomeKept, kAllKept };

// What is in each unit now, on this node: a byte a unit. A range is marked before anybody can find
// it, and unmarked before it is free. Ranges: whole units. Context: who owns the range, for its
// marks; any kernel thread of the node's ranks, for questions.
class UnitMap {
 public:
  // `bytes` is one zeroed byte for each unit of `whole`.
  void start(void* bytes, Range whole) {
    units_ = static_cast<std::atomic<std::uint8_t>*>(bytes);
    whole_ = whole;
  }

  UnitKind kind(Address a) const {
    return static_cast<UnitKind>(unit(a).load(std::memory_order_acquire));
  }
  void set_kind(Address a, UnitKind kind) {
    unit(a).store(static_cast<std::uint8_t>(kind), std::memory_order_release);
  }
  // False, and nothing has changed: it is not `from`.
  bool change(Address a, UnitKind from, UnitKind to) {
    auto seen = static_cast<std::uint8_t>(from);
    return unit(a).compare_exchange_strong(seen, static_cast<std::uint8_t>(to));
  }
  // The first of the units from `a` to `end` that is not kNone; `end`: there is none. Eight at a
  // time, where most hold nothing.
  Address next_used(Address a, Address end) const;
  // `first` for the first unit, kContinued for the rest.
  void mark(Range range, UnitKind first);
  void unmark(Range range);

  // First address of the range that the unit of `a` belongs to; 0 if the unit holds nothing.
  Address range_begin(Address a) const;
  // That range: the slot, span, block or remains that lives at `a`; empty if nothing does.
  Range range_at(Address a) const;

  // Takes a range for an image that arrives: its units become kContinued. Ends the job where
  // something lives there. Any rank of the node may evict while another claims: each unit goes to
  // one of them.
  Claimed claim(Range range);
  // Gives back what is kept of `range`: `drop(Range)` drops the memory of a run of units that were
  // kept, before others can have them.
  template <class F>
  void evict(Range range, F drop) {
    for (Address a = range.begin; a < range.end(); a += kUnitBytes) {
      Range run{a, 0};
      for (; a < range.end() && change(a, UnitKind::kKept, UnitKind::kEvicting); a += kUnitBytes)
        run.bytes += kUnitBytes;
      if (run.bytes == 0) continue;
      drop(run);
      unmark(run);
    }
  }

 private:
  std::atomic<std::uint8_t>& unit(Address a) const {
    return units_[(a - whole_.begin) / kUnitBytes];
  }

  std::atomic<std::uint8_t>* units_ = nullptr;
  Range whole_;
};

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_UNIT_MAP_H_
