// The kernel would look at each page of the arena, and makes those of shared memory that do not
// exist.
#include "isomalloc/core_parts.h"

#include <algorithm>
#include <iterator>

#include "base/os/memory.h"

namespace roam::iso {
namespace {

// What may lie between two runs that are added as one. Holes of shared memory are made by that.
constexpr std::size_t kGaps[] = {0, 4 << 10, 16 << 10, 64 << 10};
constexpr std::size_t kMostGapBytes = 64 << 20;

// What is on its way to another node may still be refused there.
bool is_wanted(UnitKind kind) {
  return kind != UnitKind::kNone && kind != UnitKind::kKept && kind != UnitKind::kEvicting;
}

Address next_unit(Address a) { return round_down(a, kUnitBytes) + kUnitBytes; }

// Joins runs, which come in order, that at most `gap` lies between. No allocation: for a signal
// handler.
template <class F>
class Joiner {
 public:
  Joiner(std::size_t gap, F run) : gap_(gap), run_(run) {}
  void add(Range range) {
    if (current_.bytes != 0 && range.begin >= current_.end() &&
        range.begin - current_.end() <= gap_) {
      current_.bytes = range.end() - current_.begin;
      return;
    }
    flush();
    current_ = range;
  }
  void flush() {
    if (current_.bytes != 0) run_(current_);
    current_ = Range{};
  }

 private:
  std::size_t gap_;
  F run_;
  Range current_;
};

// In order of importance: the unit map and what else is the node's; what lives in leases that this
// rank hands out from; what lives in the others, of which each rank of the node sees only its own.
class Sources {
 public:
  Sources(const Layout& layout, const NodeMemory& memory, const UnitMap& units,
          const Leases& leases)
      : layout_(layout), memory_(memory), units_(units), leases_(leases) {}

  template <class F>
  void for_each_run(F run) const {
    memory_.for_each_present(layout_.control(), [&run](Range present) { run(present); });
    for (const bool owned : {true, false}) {
      for (std::size_t first = layout_.lease_of(layout_.control().end());
           first < layout_.all_leases();) {
        std::size_t beyond = first;
        while (beyond < layout_.all_leases() && leases_.owned(beyond) == owned) ++beyond;
        if (beyond > first) for_each_run_of(first, beyond, run);
        first = std::max(beyond, first + 1);
      }
    }
  }

 private:
  template <class F>
  void for_each_run_of(std::size_t first, std::size_t beyond, F& run) const {
    const auto present = [this, &run](Range data) { live_parts(data, run); };
    if (memory_.shared()) {
      const Address begin = layout_.lease(first).begin;
      memory_.for_each_present(Range{begin, layout_.lease(beyond - 1).end() - begin},
                               [&present](Range data) { present(data); });
      return;
    }
    const auto live = [this, &run](Range range) {
      memory_.for_each_present(range, [&run](Range data) { run(data); });
    };
    for (std::size_t lease = first; lease < beyond; ++lease) {
      if (!leases_.closed(lease)) live_parts(layout_.lease(lease), live);
    }
  }

  template <class F>
  void live_parts(Range range, F& part) const {
    for (Address a = range.begin; a < range.end();) {
      const Address begin = a;
      while (a < range.end() && is_wanted(units_.kind(a))) a = next_unit(a);
      if (a == begin) {
        a = next_unit(a);
      } else {
        part(Range{begin, std::min(a, range.end()) - begin});
      }
    }
  }

  const Layout& layout_;
  const NodeMemory& memory_;
  const UnitMap& units_;
  const Leases& leases_;
};

}  // namespace

CoreParts include_in_core(const Layout& layout, const NodeMemory& memory, const UnitMap& units,
                          const Leases& leases, std::size_t most_runs) {
  const Sources sources(layout, memory, units, leases);
  CoreParts parts;
  os::exclude_from_core(
      layout.whole());  // what an earlier signal added and did not end the process
  // How many runs there would be, with each gap.
  struct {
    std::size_t runs = 0, gap_bytes = 0;
  } counts[std::size(kGaps)];
  Address end = 0;
  sources.for_each_run([&](Range run) {
    for (std::size_t i = 0; i < std::size(kGaps); ++i) {
      if (end != 0 && run.begin >= end && run.begin - end <= kGaps[i]) {
        counts[i].gap_bytes += run.begin - end;
      } else {
        ++counts[i].runs;
      }
    }
    end = run.end();
  });
  std::size_t choice = 0;
  while (choice + 1 < std::size(kGaps) && counts[choice].runs > most_runs &&
         counts[choice + 1].gap_bytes <= kMostGapBytes)
    ++choice;
  bool room = true;
  Joiner joiner(kGaps[choice], [&](Range run) {
    room = room && parts.runs < most_runs && os::include_in_core(run);
    parts.runs += room;
    (room ? parts.bytes : parts.left_out) += run.bytes;
  });
  sources.for_each_run([&](Range run) { joiner.add(run); });
  joiner.flush();
  return parts;
}

}  // namespace roam::iso
