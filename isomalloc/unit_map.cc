#include "isomalloc/unit_map.h"

#include "base/check.h"
#include "base/os/give_core.h"

namespace roam::iso {

void UnitMap::mark(Range range, UnitKind first) {
  for (Address a = range.begin + kUnitBytes; a < range.end(); a += kUnitBytes) {
    set_kind(a, UnitKind::kContinued);
  }
  set_kind(range.begin, first);
}

void UnitMap::unmark(Range range) {
  for (Address a = range.begin; a < range.end(); a += kUnitBytes) set_kind(a, UnitKind::kNone);
}

Address UnitMap::next_used(Address a, Address end) const {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  const auto at = [&](Address unit_begin) { return (unit_begin - whole_.begin) / kUnitBytes; };
  const auto* bytes = reinterpret_cast<const unsigned char*>(units_);
  std::size_t i = at(a);
  const std::size_t last = at(end);
  while (i < last) {
    if (i % kWord == 0 && i + kWord <= last) {
      // The map begins with a page.
      const auto* word = reinterpret_cast<const std::uint64_t*>(bytes + i);
      if (__atomic_load_n(word, __ATOMIC_RELAXED) == 0) {
        i += kWord;
        continue;
      }
    }
    if (units_[i].load(std::memory_order_acquire) != 0) break;
    ++i;
  }
  return whole_.begin + i * kUnitBytes;
}

Address UnitMap::range_begin(Address a) const {
  a = round_down(a, kUnitBytes);
  while (whole_.contains(a)) {
    const UnitKind here = kind(a);
    if (is_away(here)) return 0;
    switch (here) {
      case UnitKind::kNone:
        return 0;
      case UnitKind::kContinued:
      case UnitKind::kSlotHead:
        a -= kUnitBytes;
        break;
      default:
        return a;
    }
  }
  return 0;
}

Range UnitMap::range_at(Address a) const {
  const Address begin = range_begin(a);
  if (begin == 0) return Range{};
  Address end = begin + kUnitBytes;
  while (whole_.contains(end) &&
         (kind(end) == UnitKind::kContinued || kind(end) == UnitKind::kSlotHead))
    end += kUnitBytes;
  return Range{begin, end - begin};
}

Claimed UnitMap::claim(Range range) {
  bool all = true, some = false;
  for (Address a = range.begin; a < range.end(); a += kUnitBytes) {
    for (;;) {
      const UnitKind seen = kind(a);
      if (seen == UnitKind::kEvicting) {  // another rank is at it, in a system call
        os::give_core();
        continue;
      }
      ROAM_CHECK(!lives(seen),
                 "an image arrives at %p, where unit kind %d lives: addresses are not unique",
                 reinterpret_cast<void*>(a), static_cast<int>(seen));
      if (change(a, seen, UnitKind::kContinued)) {
        (seen != UnitKind::kNone ? some : all) = seen != UnitKind::kNone;
        break;
      }
    }
  }
  return !some ? Claimed::kNothingKept : all ? Claimed::kAllKept : Claimed::kSomeKept;
}

}  // namespace roam::iso
