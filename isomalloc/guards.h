#ifndef ROAM_ISOMALLOC_GUARDS_H_
#define ROAM_ISOMALLOC_GUARDS_H_

#include <cstddef>
#include <cstdint>

#include "base/range.h"
#include "isomalloc/layout.h"
#include "isomalloc/table.h"

namespace roam::iso {

// What faults below a stack, in this rank's mapping: the first bytes of a slot, its guard, and what
// lies below the slot, its fence. Both are remembered by unit, so for a slot that was here before
// the questions are a few bit tests. Ranges: whole units of the slot region. Context: the rank's
// kernel thread.
class Guards {
 public:
  // `faults` says of a unit whether it is not usable here anyway, closed or sealed. Errors:
  // Error(out_of_memory).
  void start(const Layout& layout, bool (*faults)(Address));
  void release();
  // Forgets all. Allocates nothing.
  void wipe();

  // Guards the first `guard_bytes` of `slot` and fences it, and takes away guards of earlier slots
  // inside it.
  void guard_slot(Range slot, std::size_t guard_bytes) {
    const std::size_t first = unit_of(slot.begin);
    const std::size_t units = slot.bytes / kUnitBytes;
    if (units > BitTable::kMostAtOnce || !is_guarded(first, units)) [[unlikely]]
      guard_slot_slow(slot, guard_bytes);
  }
  // Takes away what guards and fences of earlier slots are left in units that hold no slot's guard.
  void unguard(Range range) {
    for (Address a = range.begin; a < range.end(); a += kUnitBytes) {
      const std::size_t unit = unit_of(a);
      if (((guarded_.word_of(unit) | fenced_.word_of(unit)) & 1) != 0) [[unlikely]]
        unguard_unit(unit);
    }
  }
  // From the fault handler: the same for the unit of `a`, in which something lives that another
  // rank of the node has laid there; the guard of a slot that `begins` there stays. False if it
  // faults for another reason.
  bool unguard_for_fault(Address a, bool begins);
  // `run` is accessible again, by other means.
  void forget(Range run);
  // True if a guard could not be laid: the budget of the fallback is spent.
  bool missing() const { return missing_; }

 private:
  std::size_t unit_of(Address a) const { return (a - slots_.begin) / kUnitBytes; }
  Address address_of(std::size_t unit) const { return slots_.begin + unit * kUnitBytes; }
  // Whether of these units, BitTable::kMostAtOnce or fewer, the first alone is guarded, and none
  // fenced.
  bool is_guarded(std::size_t first, std::size_t units) const {
    const std::uint64_t mask = (std::uint64_t{1} << units) - 1;
    return (guarded_.from(first) & mask) == 1 && (fenced_.from(first) & mask) == 0;
  }
  bool is_guarded_long(std::size_t first, std::size_t units) const;
  void guard_slot_slow(Range slot, std::size_t guard_bytes);
  void guard_first_only(std::size_t first, std::size_t units, std::size_t guard_bytes);
  void clear_guards_above(std::size_t above, std::size_t guard_bytes);
  void unguard_unit(std::size_t unit);
  void fence(Range range);
  void unfence(Range range);
  void note_missing();

  Range slots_;
  bool (*faults_)(Address) = nullptr;
  std::size_t fence_bytes_ = 0;
  std::size_t guard_bytes_ = 0;  // of the slots that were guarded
  bool missing_ = false;
  BitTable guarded_;  // of each unit of slots: faults as a guard, or whole because it is fenced
  BitTable fenced_;   // whole, below a slot
};

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_GUARDS_H_
