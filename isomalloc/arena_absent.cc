// What of the arena faults in this rank's mapping, and what does not any more.

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "base/check.h"
#include "base/lock.h"
#include "base/os/memory.h"
#include "isomalloc/arena.h"

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
[[gnu::constructor(102)]] void keep_opening_over_fork() { keep_over_fork<opening>(); }

bool lives(UnitKind kind) { return kind != UnitKind::kNone && !is_away(kind); }

bool bit(const std::uint64_t* bits, std::size_t index) {
  return (bits[index / 64] >> (index % 64) & 1) != 0;
}
void set_bit(std::uint64_t* bits, std::size_t index) {
  bits[index / 64] |= std::uint64_t{1} << (index % 64);
}
void clear_bit(std::uint64_t* bits, std::size_t index) {
  bits[index / 64] &= ~(std::uint64_t{1} << (index % 64));
}

}  // namespace

void Arena::own(Range range) {
  const std::size_t first = round_up(offset(range.begin), lease_bytes_) / lease_bytes_;
  const std::size_t beyond = offset(range.end()) / lease_bytes_;
  for (std::size_t lease = first; lease < beyond; ++lease) owned_[lease] = 1;
}

void Arena::disown(Range range, bool other_node) {
  for (Address a = range.begin; a < range.end();) {
    const std::size_t lease = lease_of(a);
    const Range whole{whole_.begin + lease * lease_bytes_, lease_bytes_};
    const Range part{a, std::min(whole.end(), range.end()) - a};
    a = part.end();
    const bool closed =
        open_[lease] == kClosed && flags_[lease].load(std::memory_order_acquire) == 0;
    if (part == whole && closed) {
      owned_[lease] = 0;
    } else if (other_node) {
      seal_absent(part);
    }
  }
}

bool Arena::open_lease(std::size_t lease) {
  if (!os::allow_access(Range{whole_.begin + lease * lease_bytes_, lease_bytes_})) return false;
  open_[lease] = kWhole;
  return true;
}

// A lease is open on the node once its flag is set. The opener makes it usable for itself first, so
// that a failure leaves nothing behind; the other ranks follow when they see the version change.
bool Arena::open(Range range) {
  if (range.bytes == 0) return true;
  const std::lock_guard hold(opening);
  return open_alone(range);
}

bool Arena::open_alone(Range range) {
  const std::size_t last = offset(range.end() - 1) / chunk_bytes_;
  for (std::size_t chunk = offset(range.begin) / chunk_bytes_; chunk <= last;) {
    const std::size_t lease = chunk * chunk_bytes_ / lease_bytes_;
    const std::size_t beyond = (lease + 1) * (lease_bytes_ / chunk_bytes_);
    if (open_[lease] != kWhole &&
        (owned_[lease] != 0 || flags_[lease].load(std::memory_order_acquire) != 0)) {
      if (!open_lease(lease)) return false;
      if (flags_[lease].exchange(1, std::memory_order_acq_rel) == 0)
        node_->version.fetch_add(1, std::memory_order_acq_rel);
    }
    if (open_[lease] == kWhole) {
      chunk = beyond;
      continue;
    }
    const std::size_t first = chunk;
    while (chunk <= last && chunk < beyond && !chunk_open(chunk)) ++chunk;
    if (chunk == first) {
      ++chunk;
    } else if (!open_chunks(first, chunk - first, range)) {
      return false;
    }
  }
  return true;
}

// Of a lease that is another node's. What is beside `wanted` is sealed, unless it lives.
bool Arena::open_chunks(std::size_t first, std::size_t count, Range wanted) {
  std::size_t grain = islands_ < kMostIslands / 2 ? chunk_bytes_ : kCoarseBytes;
  if (grain > lease_bytes_ || islands_ >= kMostIslands) grain = lease_bytes_;
  const std::size_t begin = round_down(first * chunk_bytes_, grain);
  const std::size_t end = round_up((first + count) * chunk_bytes_, grain);
  if (!os::allow_access(Range{whole_.begin + begin, end - begin})) return false;
  const std::size_t from = begin / chunk_bytes_, to = end / chunk_bytes_;
  const std::size_t neighbours =
      (from != 0 && chunk_open(from - 1)) + (to * chunk_bytes_ < whole_.bytes && chunk_open(to));
  islands_ = islands_ + 1 - std::min(islands_ + 1, neighbours);
  open_[lease_of(whole_.begin + begin)] = kSomeChunks;
  if (node_->foreign.exchange(1, std::memory_order_acq_rel) == 0)
    node_->version.fetch_add(1, std::memory_order_acq_rel);
  if (!foreign_seen_) {
    foreign_seen_ = true;
    add_sealed(1);
  }
  const bool seals = grain <= kCoarseBytes;
  for (std::size_t chunk = from; chunk < to; ++chunk) {
    if (chunk_open(chunk)) continue;
    set_bit(chunks_, chunk);
    if (!seals) continue;
    const Range here{whole_.begin + chunk * chunk_bytes_, chunk_bytes_};
    if (wanted.begin > here.begin)
      seal_absent(Range{here.begin, std::min(wanted.begin, here.end()) - here.begin});
    if (wanted.end() < here.end()) {
      const Address behind = std::max(wanted.end(), here.begin);
      seal_absent(Range{behind, here.end() - behind});
    }
  }
  return true;
}

bool Arena::sync_slow() {
  const std::lock_guard hold(opening);
  const std::uint64_t version = node_->version.load(std::memory_order_acquire);
  if (!foreign_seen_ && node_->foreign.load(std::memory_order_acquire) != 0) {
    foreign_seen_ = true;
    add_sealed(1);
  }
  for (std::size_t lease = 0; lease < open_.size(); ++lease) {
    if (open_[lease] != kWhole && flags_[lease].load(std::memory_order_acquire) != 0 &&
        !open_lease(lease))
      return false;
  }
  __atomic_store_n(&synced_, version, __ATOMIC_RELAXED);
  return true;
}

// The slot, span or block that lives at `a`; empty if nothing does.
Range Arena::live_at(Address a) const {
  const Address begin = range_begin(a);
  if (begin == 0) return Range{};
  Address end = begin + kUnitBytes;
  while (whole_.contains(end) &&
         (kind(end) == UnitKind::kContinued || kind(end) == UnitKind::kSlotHead))
    end += kUnitBytes;
  return Range{begin, end - begin};
}

bool Arena::sync_for_fault(Address a) {
  if (!ready_ || !whole_.contains(a) || control_.contains(a)) return false;
  const std::size_t lease = lease_of(a);
  if (lease >= open_.size() || open_[lease] == kWhole) return false;
  if (flags_[lease].load(std::memory_order_acquire) != 0) return open_lease(lease);
  const Range alive = live_at(a);
  bool usable = true;
  for (Address at = alive.begin; at < alive.end(); at += kUnitBytes)
    usable = usable && (open_[lease_of(at)] == kWhole || chunk_open(offset(at) / chunk_bytes_));
  return !usable && open_alone(alive);  // the lock may be held by who faults
}

void Arena::admit(Range range) {
  ROAM_CHECK(open(range), "the kernel has no memory for the address range %p + %zu: %s",
             range.pointer(), range.bytes, std::strerror(errno));
  unseal(range);
}

void Arena::seal(Range range) {
  if (!os::has_cheap_guards()) return;
  const Address end = round_up(range.end(), kPageBytes);
  for (Address a = round_down(range.begin, kPageBytes); a < end;) {
    const Address from = a;
    while (a < end && kind(a) == UnitKind::kKept) a = round_down(a, kUnitBytes) + kUnitBytes;
    if (a == from) {
      a = round_down(a, kUnitBytes) + kUnitBytes;
    } else if (const Range run{from, std::min(a, end) - from}; os::guard(run)) {
      note_sealed(run);
    }
  }
}

void Arena::seal_absent(Range range) {
  if (!os::has_cheap_guards()) return;
  for (Address a = range.begin; a < range.end();) {
    const Address from = a;
    while (a < range.end() && !lives(kind(a))) a += kUnitBytes;
    if (a == from) {
      a += kUnitBytes;
    } else if (const Range run{from, a - from}; os::guard(run)) {
      note_sealed(run);
    }
  }
}

void Arena::note_sealed(Range run) {
  for (Address a = round_down(run.begin, kUnitBytes); a < run.end(); a += kUnitBytes) {
    const std::size_t unit = offset(a) / kUnitBytes;
    std::uint64_t& word = sealed_[unit / 64];
    const std::uint64_t bit = std::uint64_t{1} << (unit % 64);
    if ((word & bit) == 0) add_sealed(1);
    word |= bit;
  }
}

bool Arena::unit_sealed(Address a) const {
  const std::size_t unit = offset(a) / kUnitBytes;
  return (sealed_[unit / 64] >> (unit % 64) & 1) != 0;
}

// Run by run of sealed units: what was sealed as one range may come back in pieces. A stack's
// guard, in a slot's first unit, is laid again by guard_slot.
void Arena::unseal_slow(Range range) {
  for (Address a = round_down(range.begin, kUnitBytes); a < range.end(); a += kUnitBytes) {
    if (!unit_sealed(a)) continue;
    Range run{a, 0};
    for (; a < range.end() && unit_sealed(a); a += kUnitBytes) {
      const std::size_t unit = offset(a) / kUnitBytes;
      sealed_[unit / 64] &= ~(std::uint64_t{1} << (unit % 64));
      add_sealed(-1);
      run.bytes += kUnitBytes;
      if (regions_[0].contains(a)) {
        const std::size_t slot_unit = (a - regions_[0].begin) / kUnitBytes;
        clear_bit(guarded_, slot_unit);
        clear_bit(fenced_, slot_unit);
      }
    }
    os::unguard(run);
  }
}

bool Arena::unseal_for_fault(Address a) {
  if (!ready_ || !whole_.contains(a) || !any_sealed()) return false;
  if (!unit_sealed(a) || !lives(kind(a))) return false;
  unseal_slow(Range{round_down(a, kUnitBytes), kUnitBytes});
  return true;
}

void Arena::unguard_unit(std::size_t unit) {
  os::unguard(Range{regions_[0].begin + unit * kUnitBytes, kUnitBytes});
  clear_bit(guarded_, unit);
  clear_bit(fenced_, unit);
}

// Another rank of the node has laid something where this rank once had a slot or its fence.
bool Arena::unguard_for_fault(Address a) {
  if (!ready_ || !regions_[0].contains(a) || !lives(kind(a))) return false;
  const std::size_t unit = (a - regions_[0].begin) / kUnitBytes;
  if (!bit(guarded_, unit) || unit_sealed(a)) return false;
  const Range here{regions_[0].begin + unit * kUnitBytes, kUnitBytes};
  const bool begins = kind(a) == UnitKind::kSlot;
  if (begins && (!bit(fenced_, unit) || a - here.begin < guard_bytes_)) return false;
  unguard_unit(unit);
  if (begins && os::guard(Range{here.begin, guard_bytes_})) set_bit(guarded_, unit);
  return true;
}

bool Arena::is_guarded_long_slot(std::size_t first, std::size_t units) const {
  std::uint64_t guards = 1;
  for (std::size_t done = 0; done < units; done += kMostUnitsAtOnce) {
    const std::size_t now = std::min(units - done, kMostUnitsAtOnce);
    const std::uint64_t mask = (std::uint64_t{1} << now) - 1;
    if ((bits_from(guarded_, first + done) & mask) != guards) return false;
    if ((bits_from(fenced_, first + done) & mask) != 0) return false;
    guards = 0;
  }
  return true;
}

void Arena::guard_slot_slow(Range slot, std::size_t guard_bytes) {
  guard_bytes_ = guard_bytes;
  const std::size_t first = (slot.begin - regions_[0].begin) / kUnitBytes;
  const std::size_t units = slot.bytes / kUnitBytes;
  if (units > kMostUnitsAtOnce && is_guarded_long_slot(first, units)) return;
  unfence(slot);
  for (std::size_t unit = first; unit < first + units; ++unit) {
    const std::uint64_t bit = std::uint64_t{1} << (unit % 64);
    const bool guarded = (guarded_[unit / 64] & bit) != 0;
    if (guarded == (unit == first)) continue;
    const Range guard{regions_[0].begin + unit * kUnitBytes, guard_bytes};
    if (guarded) {
      os::unguard(guard);
    } else if (!os::guard(guard)) {
      note_missing_guard();
      continue;
    }
    guarded_[unit / 64] ^= bit;
  }
  // A slot that was less than a fence above, of whatever was here before, has lost some of it.
  const std::size_t above = first + units;
  const std::size_t end =
      std::min(above + fence_bytes_ / kUnitBytes, regions_[0].bytes / kUnitBytes);
  for (std::size_t unit = above; unit < end; ++unit) {
    if (!bit(guarded_, unit) || bit(fenced_, unit)) continue;
    const Range guard{regions_[0].begin + unit * kUnitBytes, guard_bytes};
    if (!unit_sealed(guard.begin)) os::unguard(guard);
    clear_bit(guarded_, unit);
  }
  const std::size_t below = std::min(fence_bytes_, slot.begin - regions_[0].begin);
  fence(Range{slot.begin - below, below});
}

// Units that are not open here, or sealed, fault already. A fenced unit counts as guarded too.
void Arena::fence(Range range) {
  const auto open_unit = [this](Address a) {
    const std::size_t unit = (a - regions_[0].begin) / kUnitBytes;
    return !bit(fenced_, unit) && !unit_sealed(a) &&
           (open_[lease_of(a)] == kWhole || chunk_open(offset(a) / chunk_bytes_));
  };
  for (Address a = range.begin; a < range.end();) {
    Range run{a, 0};
    for (; a < range.end() && open_unit(a); a += kUnitBytes) run.bytes += kUnitBytes;
    if (run.bytes == 0) {
      a += kUnitBytes;
      continue;
    }
    if (!os::guard(run)) {
      note_missing_guard();
      continue;
    }
    for (Address at = run.begin; at < run.end(); at += kUnitBytes) {
      const std::size_t unit = (at - regions_[0].begin) / kUnitBytes;
      set_bit(fenced_, unit);
      set_bit(guarded_, unit);
    }
  }
}

void Arena::unfence(Range range) {
  for (Address a = range.begin; a < range.end(); a += kUnitBytes) {
    const std::size_t unit = (a - regions_[0].begin) / kUnitBytes;
    if (!bit(fenced_, unit)) continue;
    os::unguard(Range{a, kUnitBytes});
    clear_bit(fenced_, unit);
    clear_bit(guarded_, unit);
  }
}

}  // namespace roam::iso
