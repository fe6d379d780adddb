#include "isomalloc/arena.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>
#include <type_traits>

#include "base/check.h"
#include "base/os/memory.h"
#include "base/text.h"
#include "isomalloc/table.h"
#include "roam/error.h"

namespace roam::iso {

constinit Range heap_region{};

constinit Arena the_arena;
static_assert(std::is_trivially_destructible_v<Arena>, "malloc is called after all destructors");

void Arena::reserve(const Options& options) {
  if (reserved_) return;
  layout_ = Layout(Range{options.arena_base, options.arena_bytes});
  limit_.set(options.memory_bytes, options.arena_bytes);
  if (!options.guards.empty() &&
      !os::set_guards(options.guards == "madvise"    ? os::Guards::kByAdvice
                      : options.guards == "mprotect" ? os::Guards::kByMprotect
                                                     : os::Guards::kNone)) {
    throw Error(
        Errc::bad_option,
        "ROAM_GUARDS=madvise: this kernel has no MADV_GUARD_INSTALL for shared memory, which "
        "came with Linux 6.15. Allowed are mprotect and none.");
  }
  huge_pages_.set_option(options.huge);
  memory_.reserve(whole());
  reserved_ = true;
}

int Arena::create_shared() {
  memory_.create();
  start();
  std::random_device random;
  const std::uint64_t value = (std::uint64_t{random()} << 32 | random()) | 1;
  node_->token.store(value, std::memory_order_release);
  return memory_.fd();
}

bool Arena::attach_shared(int pid, int fd, std::uint64_t token) {
  if (!memory_.attach(pid, fd, token, layout_.node_page_offset())) return false;
  start();
  return true;
}

void Arena::use_private() { start(); }

// The mapping is new: nothing of it is usable but the control region.
void Arena::start_mapping() {
  huge_pages_.start(whole());
  os::exclude_from_core(whole());
}

void Arena::start() {
  const Range control = layout_.control();
  if (!os::allow_access(control)) {
    no_memory_for_arena(
        text("open %s of the arena for its unit map", bytes_text(control.bytes).c_str()));
  }
  node_ = static_cast<NodePage*>(layout_.node_page());
  units_.start(layout_.unit_map(), whole());
  departures_.start(layout_, &units_);
  guards_.start(layout_, [](Address unit) {
    return the_arena.seals_.sealed(unit) || !the_arena.leases_.usable(unit);
  });
  seals_.start(layout_, &units_, &guards_);
  leases_.start(layout_, &units_, &seals_, node_,
                static_cast<std::atomic<std::uint8_t>*>(layout_.lease_flags()));
  limit_.start(
      &node_->charged, [] { return the_arena.memory_.used_bytes(); }, !shared());
  start_mapping();
  heap_region = region(Region::kHeap);
  ready_ = true;
}

std::uint64_t Arena::token() const { return node_->token.load(std::memory_order_acquire); }

Claimed Arena::claim(Range range) {
  const Claimed claimed = units_.claim(range);
  seals_.unseal(range);
  return claimed;
}

void Arena::evict(Range range) {
  units_.evict(range, [this](Range run) { discard(run); });
}

void Arena::admit(Range range) {
  ROAM_CHECK(leases_.open(range), "the kernel has no memory for the address range %p + %zu: %s",
             range.pointer(), range.bytes, std::strerror(errno));
  seals_.unseal(range);
}

bool Arena::admit_for_fault(Address a) {
  if (!ready_ || !layout_.contains(a) || layout_.control().contains(a)) return false;
  if (leases_.sync_for_fault(a) || seals_.unseal_for_fault(a)) return true;
  const UnitKind kind = units_.kind(a);
  return region(Region::kSlots).contains(a) && lives(kind) &&
         guards_.unguard_for_fault(a, kind == UnitKind::kSlot);
}

bool Arena::populate(Range range) {
  if (!limit_.left(range.bytes)) {
    errno = ENOMEM;
    return false;
  }
  return memory_.populate(range);
}

void Arena::for_each_live(const std::function<void(Range, UnitKind)>& visit, Region from) const {
  const std::size_t first = layout_.lease_of(region(from).begin);
  for (std::size_t index = first; index < layout_.all_leases(); ++index) {
    if (leases_.closed(index)) continue;
    const Range lease = layout_.lease(index);
    for (Address a = units_.next_used(lease.begin, lease.end()); a < lease.end();) {
      const UnitKind here = units_.kind(a);
      const bool begins =
          lives(here) && here != UnitKind::kContinued && here != UnitKind::kSlotHead;
      const Range alive = begins ? units_.range_at(a) : Range{};
      if (alive.begin == a) visit(alive, here);
      const Address next = std::max(a + kUnitBytes, alive.end());
      a = next < lease.end() ? units_.next_used(next, lease.end()) : next;
    }
  }
}

CoreParts Arena::include_in_core(std::size_t most_runs) const {
  if (!ready_) return {};
  return iso::include_in_core(layout_, memory_, units_, leases_, most_runs);
}

void Arena::release() {
  if (!reserved_) return;
  memory_.release();
  departures_.release();
  leases_.release();
  seals_.release();
  guards_.release();
  *this = Arena{};
  heap_region = Range{};
}

}  // namespace roam::iso
