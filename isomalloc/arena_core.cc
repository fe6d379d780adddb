// What of the arena goes into a core. The kernel would look at each of its pages, and makes those
// of shared memory that do not exist.

#include <algorithm>
#include <iterator>

#include "base/os/memory.h"
#include "isomalloc/arena.h"

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

}  // namespace

// In order of importance: the unit map and what else is the node's; what lives in leases that this
// rank hands out from; what lives in the others, of which each rank of the node sees only its own.
template <class F>
void Arena::for_each_core_run(F run) {
  os::for_each_present(control_, shared(), fd_, offset(control_.begin),
                       [&run](Range present) { run(present); });
  const auto live_parts = [this](Range range, auto part) {
    for (Address a = range.begin; a < range.end();) {
      const Address begin = a;
      while (a < range.end() && is_wanted(kind(a))) a = next_unit(a);
      if (a == begin) {
        a = next_unit(a);
      } else {
        part(Range{begin, std::min(a, range.end()) - begin});
      }
    }
  };
  for (const bool owned : {true, false}) {
    for (std::size_t first = lease_of(control_.end()); first < owned_.size();) {
      std::size_t beyond = first;
      while (beyond < owned_.size() && (owned_[beyond] != 0) == owned) ++beyond;
      const Range leases{whole_.begin + first * lease_bytes_, (beyond - first) * lease_bytes_};
      if (shared()) {
        const auto present = [&](Range data) { live_parts(data, run); };
        os::for_each_present(leases, true, fd_, offset(leases.begin),
                             [&present](Range data) { present(data); });
      } else {
        const auto live = [&run](Range range) {
          os::for_each_present(range, false, -1, 0, [&run](Range present) { run(present); });
        };
        for (std::size_t lease = first; lease < beyond; ++lease) {
          if (open_[lease] != kClosed)
            live_parts(Range{whole_.begin + lease * lease_bytes_, lease_bytes_}, live);
        }
      }
      first = std::max(beyond, first + 1);
    }
  }
}

Arena::CoreParts Arena::include_in_core(std::size_t most_runs) {
  CoreParts parts;
  if (!ready_) return parts;
  os::exclude_from_core(whole_);  // what an earlier signal added and did not end the process
  // How many runs there would be, with each gap.
  struct {
    std::size_t runs = 0, gap_bytes = 0;
  } counts[std::size(kGaps)];
  Address end = 0;
  for_each_core_run([&](Range run) {
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
  for_each_core_run([&](Range run) { joiner.add(run); });
  joiner.flush();
  return parts;
}

}  // namespace roam::iso
