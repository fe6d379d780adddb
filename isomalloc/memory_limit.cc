#include "isomalloc/memory_limit.h"

#include <algorithm>
#include <cerrno>

#include "base/text.h"

namespace roam::iso {
namespace {

// The node's memory is looked at each time that a rank has charged so large a part of the limit: a
// look is one or three system calls.
constexpr std::size_t kLooks = 64;

}  // namespace

void MemoryLimit::start(std::atomic<std::int64_t>* charged, std::size_t (*used)(),
                        bool whole_process) {
  charged_ = charged;
  used_ = used;
  if (whole_process && most_bytes_ != 0) first_bytes_ = used_();
}

std::size_t MemoryLimit::used() const {
  const std::size_t now = used_();
  return now - std::min(now, first_bytes_);
}

std::size_t MemoryLimit::charged() const {
  return static_cast<std::size_t>(
      std::max<std::int64_t>(charged_->load(std::memory_order_relaxed), 0));
}

void MemoryLimit::set_charged(std::size_t bytes) {
  charged_->store(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
}

// False inside itself: what is given back allocates nothing of the arena, but who looks after it
// may come by here.
bool MemoryLimit::reclaim() {
  if (reclaim_ == nullptr || reclaiming_) return false;
  reclaiming_ = true;
  reclaim_();
  reclaiming_ = false;
  return true;
}

void MemoryLimit::note_limit() {
  note_shortage(Shortage::kLimit);
  shortage_used_ = std::max(charged(), used());
}

bool MemoryLimit::left_slow(std::size_t bytes) {
  if (used() + bytes <= most_bytes_) return true;
  if (reclaim() && used() + bytes <= most_bytes_) return true;
  note_limit();
  return false;
}

bool MemoryLimit::try_charge(std::size_t bytes) {
  const std::int64_t more = static_cast<std::int64_t>(bytes);
  // What does not fit is never counted: others of the node would be refused meanwhile.
  std::int64_t now = charged_->load(std::memory_order_relaxed);
  do {
    if (now + more > static_cast<std::int64_t>(most_bytes_)) return false;
  } while (!charged_->compare_exchange_weak(now, now + more, std::memory_order_relaxed));
  unseen_bytes_ += bytes;
  if (seen_bytes_ + unseen_bytes_ > most_bytes_ || unseen_bytes_ > most_bytes_ / kLooks) {
    seen_bytes_ = used();
    unseen_bytes_ = bytes;
  }
  if (seen_bytes_ + unseen_bytes_ <= most_bytes_) return true;
  uncharge_slow(bytes);
  return false;
}

bool MemoryLimit::charge_slow(std::size_t bytes) {
  if (bytes <= most_bytes_ && (try_charge(bytes) || (reclaim() && try_charge(bytes)))) return true;
  note_limit();
  errno = ENOMEM;
  return false;
}

bool MemoryLimit::has_slow(std::size_t bytes) const {
  const std::size_t charged_now = charged();
  if (charged_now > most_bytes_ || bytes > most_bytes_ - charged_now) return false;
  return seen_bytes_ + unseen_bytes_ + bytes <= most_bytes_ || used() + bytes <= most_bytes_;
}

void MemoryLimit::uncharge_slow(std::size_t bytes) {
  charged_->fetch_sub(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
}

std::string MemoryLimit::shortage() const {
  switch (shortage_) {
    case Shortage::kLimit:
      return text("ROAM_MEMORY allows a node %s, and this one had %s in use",
                  bytes_text(most_bytes_).c_str(), bytes_text(shortage_used_).c_str());
    case Shortage::kAddresses:
      return text("ROAM_ARENA has %s, of which no range that is long enough is free",
                  bytes_text(arena_bytes_).c_str());
    case Shortage::kKernel:
      return "the kernel has no memory for the address range";
    case Shortage::kNone:
      break;
  }
  return "";
}

}  // namespace roam::iso
