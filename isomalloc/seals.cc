#include "isomalloc/seals.h"

#include <algorithm>

#include "base/os/memory.h"

namespace roam::iso {

void Seals::start(const Layout& layout, const UnitMap* units, Guards* guards) {
  units_ = units;
  guards_ = guards;
  begin_ = layout.whole().begin;
  sealed_.map(layout.units());
}

void Seals::wipe() {
  sealed_.wipe();
  count_ = 0;
}

void Seals::seal(Range range) {
  if (!os::has_cheap_guards()) return;
  const Address end = round_up(range.end(), kPageBytes);
  for (Address a = round_down(range.begin, kPageBytes); a < end;) {
    const Address from = a;
    while (a < end && units_->kind(a) == UnitKind::kKept)
      a = round_down(a, kUnitBytes) + kUnitBytes;
    if (a == from) {
      a = round_down(a, kUnitBytes) + kUnitBytes;
    } else if (const Range run{from, std::min(a, end) - from}; os::guard(run)) {
      note(run);
    }
  }
}

void Seals::seal_absent(Range range) {
  if (!os::has_cheap_guards()) return;
  for (Address a = range.begin; a < range.end();) {
    const Address from = a;
    while (a < range.end() && !lives(units_->kind(a))) a += kUnitBytes;
    if (a == from) {
      a += kUnitBytes;
    } else if (const Range run{from, a - from}; os::guard(run)) {
      note(run);
    }
  }
}

void Seals::note(Range run) {
  for (Address a = round_down(run.begin, kUnitBytes); a < run.end(); a += kUnitBytes) {
    if (!sealed_.test_and_set((a - begin_) / kUnitBytes)) add(1);
  }
}

// Run by run of sealed units: what was sealed as one range may come back in pieces. A stack's
// guard, in a slot's first unit, is laid again by guard_slot.
void Seals::unseal_slow(Range range) {
  for (Address a = round_down(range.begin, kUnitBytes); a < range.end(); a += kUnitBytes) {
    if (!sealed(a)) continue;
    Range run{a, 0};
    for (; a < range.end() && sealed_.test_and_clear((a - begin_) / kUnitBytes); a += kUnitBytes) {
      add(-1);
      run.bytes += kUnitBytes;
    }
    if (run.bytes == 0) continue;  // another kernel thread is at it
    guards_->forget(run);
    os::unguard(run);
  }
}

bool Seals::unseal_for_fault(Address a) {
  if (!any() || !sealed(a) || !lives(units_->kind(a))) return false;
  unseal_slow(Range{round_down(a, kUnitBytes), kUnitBytes});
  return true;
}

}  // namespace roam::iso
