// The arena in a process that fork made: a node of its own.

#include <unistd.h>

#include <algorithm>
#include <functional>

#include "base/os/memory.h"
#include "isomalloc/arena.h"

namespace roam::iso {

void Arena::for_each_live(const std::function<void(Range, UnitKind)>& visit) const {
  for (std::size_t lease = lease_of(regions_[0].begin); lease < open_.size(); ++lease) {
    if (open_[lease] == kClosed) continue;
    const Address begin = whole_.begin + lease * lease_bytes_;
    for (Address a = begin; a < begin + lease_bytes_;) {
      const UnitKind here = kind(a);
      const bool begins = here != UnitKind::kNone && here != UnitKind::kContinued &&
                          here != UnitKind::kSlotHead && !is_away(here);
      const Range alive = begins ? live_at(a) : Range{};
      if (alive.begin == a) visit(alive, here);
      a = std::max(a + kUnitBytes, alive.end());
    }
  }
}

bool Arena::read(Address from, void* to, std::size_t bytes) const {
  return os::read_shared(fd_, offset(from), to, bytes);
}

void Arena::Kept::add(Range range) {
  ranges.push_back(range);
  for (Address a = range.begin; a < range.end(); a += kUnitBytes)
    kinds.push_back(the_arena.kind(a));
}

// As on a node where nothing has been yet and to which what is kept comes.
bool Arena::keep_in_child(const Kept& kept) {
  const std::uint64_t token = this->token();
  const int shared_fd = fd_;
  if (!os::map_private(whole_) || !os::allow_access(control_)) return false;
  fd_ = -1;
  os::set_huge_pages(whole_, false);
  os::exclude_from_core(whole_);
  node_->token.store(token, std::memory_order_relaxed);
  synced_ = 0;
  std::fill(owned_.begin(), owned_.end(), 0);
  std::fill(open_.begin(), open_.end(), kClosed);
  const auto clear = [](std::uint64_t* bits, std::size_t bytes) {
    os::discard(Range{reinterpret_cast<Address>(bits), bytes}, false);
  };
  clear(chunks_, chunks_bytes_);
  clear(sealed_, sealed_bytes_);
  clear(guarded_, guarded_bytes_);
  clear(fenced_, guarded_bytes_);
  sealed_units_ = islands_ = huge_ranges_ = 0;
  foreign_seen_ = false;

  auto next = kept.kinds.begin();
  for (const Range& range : kept.ranges) {
    for (Address a = range.begin; a < range.end(); a += kUnitBytes) set_kind(a, *next++);
  }
  bool copied = true;
  const auto copy = [&](Range run) {
    copied = copied && os::read_shared(shared_fd, offset(run.begin), run.pointer(), run.bytes);
  };
  for (const Range& range : kept.ranges) {
    if (!open(range)) return false;
    os::for_each_present(range, true, shared_fd, offset(range.begin), std::ref(copy));
    if (!copied) return false;
  }
  close(shared_fd);
  std::size_t charged = 0;
  for (const Range& range : kept.ranges) {
    const UnitKind first = kind(range.begin);
    if (first == UnitKind::kSpan || first == UnitKind::kBlock) charged += range.bytes;
  }
  node_->charged.store(static_cast<std::int64_t>(charged), std::memory_order_relaxed);
  return true;
}

}  // namespace roam::iso
