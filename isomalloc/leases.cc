#include "isomalloc/leases.h"

#include <algorithm>
#include <mutex>

#include "base/lock.h"
#include "base/os/memory.h"

namespace roam::iso {
namespace {

// Runs of open chunks cost two mappings each, and a process may have 65,530. From half of this on,
// more is opened at once; beyond it, a lease at once and without guards: absent memory of such a
// lease reads as zeros.
constexpr std::size_t kMostIslands = 6000;
constexpr std::size_t kCoarseBytes = 64 << 20;

// Leases are opened by the kernel thread that runs the rank's threads, and by any that frees a
// block which another rank's thread allocated.
constinit Lock opening;
[[gnu::constructor(103)]] void keep_opening_over_fork() { keep_over_fork<opening>(); }

}  // namespace

void Leases::start(const Layout& layout, const UnitMap* units, Seals* seals, NodePage* node,
                   std::atomic<std::uint8_t>* flags) {
  layout_ = &layout;
  units_ = units;
  seals_ = seals;
  node_ = node;
  flags_ = flags;
  owned_.map(layout.all_leases());
  open_.map(layout.all_leases(), true);  // gdb looks into it
  chunks_.map(layout.whole().bytes / layout.chunk_bytes());
  synced_ = 0;
}

void Leases::release() {
  owned_.unmap();
  open_.unmap();
  chunks_.unmap();
}

void Leases::wipe() {
  owned_.wipe();
  open_.wipe();
  chunks_.wipe();
  synced_ = 0;
  islands_ = 0;
  foreign_seen_ = false;
}

void Leases::own(Range range) {
  const std::size_t lease_bytes = layout_->lease_bytes();
  const std::size_t first = round_up(layout_->offset(range.begin), lease_bytes) / lease_bytes;
  const std::size_t beyond = layout_->lease_of(range.end());
  for (std::size_t lease = first; lease < beyond; ++lease) owned_[lease] = 1;
}

void Leases::disown(Range range, bool other_node) {
  for (Address a = range.begin; a < range.end();) {
    const std::size_t lease = layout_->lease_of(a);
    const Range whole = layout_->lease(lease);
    const Range part{a, std::min(whole.end(), range.end()) - a};
    a = part.end();
    if (part == whole && closed(lease) && flags_[lease].load(std::memory_order_acquire) == 0) {
      owned_[lease] = 0;
    } else if (other_node) {
      seals_->seal_absent(part);
    }
  }
}

bool Leases::open_lease(std::size_t lease) {
  if (!os::allow_access(layout_->lease(lease))) return false;
  open_[lease] = kWhole;
  return true;
}

// A lease is open on the node once its flag is set. The opener makes it usable for itself first, so
// that a failure leaves nothing behind; the other ranks follow when they see the version change.
bool Leases::open(Range range) {
  if (range.bytes == 0) return true;
  const std::lock_guard hold(opening);
  return open_alone(range);
}

bool Leases::open_alone(Range range) {
  const std::size_t chunks_in_lease = layout_->lease_bytes() / layout_->chunk_bytes();
  const std::size_t last = chunk_of(range.end() - 1);
  for (std::size_t chunk = chunk_of(range.begin); chunk <= last;) {
    const std::size_t lease = chunk / chunks_in_lease;
    const std::size_t beyond = (lease + 1) * chunks_in_lease;
    if (open_[lease] != kWhole &&
        (owned(lease) || flags_[lease].load(std::memory_order_acquire) != 0)) {
      if (!open_lease(lease)) return false;
      if (flags_[lease].exchange(1, std::memory_order_acq_rel) == 0)
        node_->version.fetch_add(1, std::memory_order_acq_rel);
    }
    if (open_[lease] == kWhole) {
      chunk = beyond;
      continue;
    }
    const std::size_t first = chunk;
    while (chunk <= last && chunk < beyond && !chunks_.test(chunk)) ++chunk;
    if (chunk == first) {
      ++chunk;
    } else if (!open_chunks(first, chunk - first, range)) {
      return false;
    }
  }
  return true;
}

// Of a lease that is another node's. What is beside `wanted` is sealed, unless it lives.
bool Leases::open_chunks(std::size_t first, std::size_t count, Range wanted) {
  const Range whole = layout_->whole();
  const std::size_t chunk_bytes = layout_->chunk_bytes();
  std::size_t grain = islands_ < kMostIslands / 2 ? chunk_bytes : kCoarseBytes;
  if (grain > layout_->lease_bytes() || islands_ >= kMostIslands) grain = layout_->lease_bytes();
  const std::size_t begin = round_down(first * chunk_bytes, grain);
  const std::size_t end = round_up((first + count) * chunk_bytes, grain);
  if (!os::allow_access(Range{whole.begin + begin, end - begin})) return false;
  const std::size_t from = begin / chunk_bytes, to = end / chunk_bytes;
  const std::size_t neighbours =
      (from != 0 && chunks_.test(from - 1)) + (to * chunk_bytes < whole.bytes && chunks_.test(to));
  islands_ = islands_ + 1 - std::min(islands_ + 1, neighbours);
  open_[layout_->lease_of(whole.begin + begin)] = kSomeChunks;
  if (node_->foreign.exchange(1, std::memory_order_acq_rel) == 0)
    node_->version.fetch_add(1, std::memory_order_acq_rel);
  see_foreign();
  for (std::size_t chunk = from; chunk < to; ++chunk) {
    if (chunks_.test(chunk)) continue;
    chunks_.set(chunk);
    if (grain <= kCoarseBytes) seal_beside(chunk, wanted);
  }
  return true;
}

void Leases::seal_beside(std::size_t chunk, Range wanted) {
  const Range here = chunk_range(chunk);
  if (wanted.begin > here.begin)
    seals_->seal_absent(Range{here.begin, std::min(wanted.begin, here.end()) - here.begin});
  if (wanted.end() < here.end()) {
    const Address behind = std::max(wanted.end(), here.begin);
    seals_->seal_absent(Range{behind, here.end() - behind});
  }
}

// Something of another node's leases is on this one.
void Leases::see_foreign() {
  if (foreign_seen_) return;
  foreign_seen_ = true;
  seals_->expect_always();
}

bool Leases::sync_slow() {
  const std::lock_guard hold(opening);
  const std::uint64_t version = node_->version.load(std::memory_order_acquire);
  if (node_->foreign.load(std::memory_order_acquire) != 0) see_foreign();
  for (std::size_t lease = 0; lease < layout_->all_leases(); ++lease) {
    if (open_[lease] != kWhole && flags_[lease].load(std::memory_order_acquire) != 0 &&
        !open_lease(lease))
      return false;
  }
  __atomic_store_n(&synced_, version, __ATOMIC_RELAXED);
  return true;
}

bool Leases::sync_for_fault(Address a) {
  const std::size_t lease = layout_->lease_of(a);
  if (lease >= layout_->all_leases() || open_[lease] == kWhole) return false;
  if (flags_[lease].load(std::memory_order_acquire) != 0) return open_lease(lease);
  const Range alive = units_->range_at(a);
  bool all_usable = true;
  for (Address at = alive.begin; at < alive.end(); at += kUnitBytes)
    all_usable = all_usable && usable(at);
  return !all_usable && open_alone(alive);  // the lock may be held by who faults
}

}  // namespace roam::iso
