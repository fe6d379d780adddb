// ROAM_MEMORY: what the node's threads have, and when it is too much.

#include <algorithm>
#include <cerrno>

#include "base/os/memory.h"
#include "base/text.h"
#include "isomalloc/arena.h"

namespace roam::iso {
namespace {

// The node's memory is looked at each time that a rank has charged so large a part of the limit: a
// look is one or three system calls.
constexpr std::size_t kLooks = 64;

}  // namespace

std::size_t Arena::memory_used() const {
  if (shared()) return os::shared_bytes(fd_);
  const std::size_t now = os::resident_bytes();
  return now - std::min(now, first_bytes_);
}

std::size_t Arena::charged() const {
  return static_cast<std::size_t>(
      std::max<std::int64_t>(node_->charged.load(std::memory_order_relaxed), 0));
}

// False inside itself: what is given back allocates nothing of the arena, but who looks after it
// may come by here.
bool Arena::reclaim() {
  if (reclaim_ == nullptr || reclaiming_) return false;
  reclaiming_ = true;
  reclaim_();
  reclaiming_ = false;
  return true;
}

void Arena::note_limit() {
  note_shortage(Shortage::kLimit);
  shortage_used_ = std::max(charged(), memory_used());
}

bool Arena::memory_left_slow(std::size_t bytes) {
  if (memory_used() + bytes <= memory_limit_) return true;
  if (reclaim() && memory_used() + bytes <= memory_limit_) return true;
  note_limit();
  return false;
}

bool Arena::try_charge(std::size_t bytes) {
  const std::int64_t more = static_cast<std::int64_t>(bytes);
  const std::int64_t now = node_->charged.fetch_add(more, std::memory_order_relaxed) + more;
  if (now <= static_cast<std::int64_t>(memory_limit_)) {
    unseen_bytes_ += bytes;
    if (seen_bytes_ + unseen_bytes_ > memory_limit_ || unseen_bytes_ > memory_limit_ / kLooks) {
      seen_bytes_ = memory_used();
      unseen_bytes_ = bytes;
    }
    if (seen_bytes_ + unseen_bytes_ <= memory_limit_) return true;
  }
  uncharge_slow(bytes);
  return false;
}

bool Arena::charge_slow(std::size_t bytes) {
  if (bytes <= memory_limit_ && (try_charge(bytes) || (reclaim() && try_charge(bytes))))
    return true;
  note_limit();
  errno = ENOMEM;
  return false;
}

void Arena::uncharge_slow(std::size_t bytes) {
  node_->charged.fetch_sub(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
}

std::string Arena::shortage() const {
  switch (shortage_) {
    case Shortage::kLimit:
      return text("ROAM_MEMORY allows a node %s, and this one had %s in use",
                  bytes_text(memory_limit_).c_str(), bytes_text(shortage_used_).c_str());
    case Shortage::kAddresses:
      return text("ROAM_ARENA has %s, of which no range that is long enough is free",
                  bytes_text(whole_.bytes).c_str());
    case Shortage::kKernel:
      return "the kernel has no memory for the address range";
    case Shortage::kNone:
      break;
  }
  return "";
}

}  // namespace roam::iso
