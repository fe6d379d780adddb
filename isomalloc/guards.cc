#include "isomalloc/guards.h"

#include <algorithm>

#include "base/check.h"
#include "base/os/memory.h"
#include "base/text.h"

namespace roam::iso {

void Guards::start(const Layout& layout, bool (*faults)(Address)) {
  slots_ = layout.region(Region::kSlots);
  faults_ = faults;
  fence_bytes_ = layout.fence_bytes();
  guarded_.map(slots_.bytes / kUnitBytes);
  fenced_.map(slots_.bytes / kUnitBytes);
}

void Guards::release() {
  guarded_.unmap();
  fenced_.unmap();
}

void Guards::wipe() {
  guarded_.wipe();
  fenced_.wipe();
}

void Guards::note_missing() {
  if (missing_) return;
  missing_ = true;
  if (os::guards() == os::Guards::kNone) return;  // said at start
  report(text("from now on stacks here may have no guard: %d are laid, and a process may have no "
              "more (Linux 6.15 has no such limit). An overflow of such a stack is not noticed.",
              os::kMprotectGuards)
             .c_str());
}

void Guards::forget(Range run) {
  for (Address a = run.begin; a < run.end(); a += kUnitBytes) {
    if (!slots_.contains(a)) continue;
    guarded_.clear(unit_of(a));
    fenced_.clear(unit_of(a));
  }
}

void Guards::unguard_unit(std::size_t unit) {
  os::unguard(Range{address_of(unit), kUnitBytes});
  guarded_.clear(unit);
  fenced_.clear(unit);
}

bool Guards::unguard_for_fault(Address a, bool begins) {
  const std::size_t unit = unit_of(a);
  if (!guarded_.test(unit) || faults_(a)) return false;
  const Address begin = address_of(unit);
  if (begins && (!fenced_.test(unit) || a - begin < guard_bytes_)) return false;
  unguard_unit(unit);
  if (begins && os::guard(Range{begin, guard_bytes_})) guarded_.set(unit);
  return true;
}

bool Guards::is_guarded_long(std::size_t first, std::size_t units) const {
  std::uint64_t guards = 1;
  for (std::size_t done = 0; done < units; done += BitTable::kMostAtOnce) {
    const std::size_t now = std::min(units - done, BitTable::kMostAtOnce);
    const std::uint64_t mask = (std::uint64_t{1} << now) - 1;
    if ((guarded_.from(first + done) & mask) != guards) return false;
    if ((fenced_.from(first + done) & mask) != 0) return false;
    guards = 0;
  }
  return true;
}

void Guards::guard_slot_slow(Range slot, std::size_t guard_bytes) {
  guard_bytes_ = guard_bytes;
  const std::size_t first = unit_of(slot.begin);
  const std::size_t units = slot.bytes / kUnitBytes;
  if (units > BitTable::kMostAtOnce && is_guarded_long(first, units)) return;
  unfence(slot);
  guard_first_only(first, units, guard_bytes);
  clear_guards_above(first + units, guard_bytes);
  const std::size_t below = std::min(fence_bytes_, slot.begin - slots_.begin);
  fence(Range{slot.begin - below, below});
}

void Guards::guard_first_only(std::size_t first, std::size_t units, std::size_t guard_bytes) {
  for (std::size_t unit = first; unit < first + units; ++unit) {
    const bool guarded = guarded_.test(unit);
    if (guarded == (unit == first)) continue;
    const Range guard{address_of(unit), guard_bytes};
    if (guarded) {
      os::unguard(guard);
      guarded_.clear(unit);
    } else if (os::guard(guard)) {
      guarded_.set(unit);
    } else {
      note_missing();
    }
  }
}

// A slot that was less than a fence above, of whatever was here before, has lost some of it.
void Guards::clear_guards_above(std::size_t above, std::size_t guard_bytes) {
  const std::size_t end = std::min(above + fence_bytes_ / kUnitBytes, slots_.bytes / kUnitBytes);
  for (std::size_t unit = above; unit < end; ++unit) {
    if (!guarded_.test(unit) || fenced_.test(unit)) continue;
    const Range guard{address_of(unit), guard_bytes};
    if (!faults_(guard.begin)) os::unguard(guard);
    guarded_.clear(unit);
  }
}

// A fenced unit counts as guarded too.
void Guards::fence(Range range) {
  const auto usable = [this](Address a) { return !fenced_.test(unit_of(a)) && !faults_(a); };
  for (Address a = range.begin; a < range.end();) {
    Range run{a, 0};
    for (; a < range.end() && usable(a); a += kUnitBytes) run.bytes += kUnitBytes;
    if (run.bytes == 0) {
      a += kUnitBytes;
      continue;
    }
    if (!os::guard(run)) {
      note_missing();
      continue;
    }
    for (Address at = run.begin; at < run.end(); at += kUnitBytes) {
      fenced_.set(unit_of(at));
      guarded_.set(unit_of(at));
    }
  }
}

void Guards::unfence(Range range) {
  for (Address a = range.begin; a < range.end(); a += kUnitBytes) {
    if (fenced_.test(unit_of(a))) unguard_unit(unit_of(a));
  }
}

}  // namespace roam::iso
