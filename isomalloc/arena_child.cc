// The arena in a process that fork made: a node of its own.

#include <unistd.h>

#include <functional>

#include "base/os/memory.h"
#include "isomalloc/arena.h"

namespace roam::iso {

void Arena::ChildMemory::add(Range range) {
  ranges.push_back(range);
  for (Address a = range.begin; a < range.end(); a += kUnitBytes)
    kinds.push_back(the_arena.units().kind(a));
}

// As on a node where nothing has been yet and to which `memory` comes.
bool Arena::move_to_child(const ChildMemory& memory) {
  const std::uint64_t token = this->token();
  const int shared_fd = memory_.fd();
  if (!memory_.become_private() || !os::allow_access(layout_.control())) return false;
  start_mapping();
  node_->token.store(token, std::memory_order_relaxed);
  leases_.wipe();
  seals_.wipe();
  guards_.wipe();

  auto next = memory.kinds.begin();
  for (const Range& range : memory.ranges) {
    for (Address a = range.begin; a < range.end(); a += kUnitBytes) units_.set_kind(a, *next++);
  }
  bool copied = true;
  const auto copy = [&](Range run) {
    copied = copied && os::read_shared(shared_fd, offset(run.begin), run.pointer(), run.bytes);
  };
  for (const Range& range : memory.ranges) {
    if (!leases_.open(range)) return false;
    os::for_each_present(range, true, shared_fd, offset(range.begin), std::ref(copy));
    if (!copied) return false;
  }
  close(shared_fd);
  std::size_t charged = 0;
  for (const Range& range : memory.ranges) {
    const UnitKind first = units_.kind(range.begin);
    if (first == UnitKind::kSpan || first == UnitKind::kBlock) charged += range.bytes;
  }
  limit_.set_charged(charged);
  return true;
}

}  // namespace roam::iso
