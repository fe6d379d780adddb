// Messages that have come and wait here. Those that there is no memory to deliver do in memory of
// the process, or in their parcel, and hold their senders back by the room that they take (room.h).

#include <x86intrin.h>

#include <algorithm>

#include "base/text.h"
#include "isomalloc/arena.h"
#include "runtime/teams/post.h"

namespace roam::runtime {
namespace {

// Some 50 us: each time asks for memory, and has what is kept given back if there is none.
constexpr std::uint64_t kRetryTicks = 125'000;

}  // namespace

// With ROAM_SHUFFLE, the network is one that delays and reorders.
bool Post::shuffled(Parcel* parcel) {
  if (random_ == 0) return false;
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  const int polls = static_cast<int>(random_ % 32);
  if (polls >= 16) return false;
  delayed_.push_back({parcel, 1 + polls});
  return true;
}

void Post::deliver_or_hold(Tcb* t, Parcel* parcel) {
  if (!deliver(t, parcel)) [[unlikely]]
    hold(parcel, {t->id.load(std::memory_order_relaxed), t});
}

void Post::hold(Parcel* parcel, Target target) {
  held_.push_back({{Kind::kLetter, 0, parcel->envelope, target, nullptr}, {}, parcel});
}

void Post::hold(const LetterHead& head, const char* data) {
  const std::size_t bytes = head.kind == Kind::kLetter ? head.envelope.bytes : 0;
  held_.push_back({head, std::vector<char>(data, data + bytes), nullptr});
}

// As they came, so that they go on if their receiver has moved, and are given up if it has ended.
// The first that still has to wait is the last that is tried: it is behind the others then.
void Post::retry_held() {
  for (std::size_t n = held_.size(); n > 0; --n) {
    const Held held = std::move(held_.front());
    held_.pop_front();
    const std::size_t others = held_.size();
    if (held.parcel != nullptr) {
      route(held.parcel, held.head.target);
    } else {
      on_letter(held.head, held.bytes.data());
    }
    if (held_.size() > others) break;
  }
  held_tried_ticks_ = __rdtsc();
}

void Post::retry_held_now_and_then() {
  if (__rdtsc() - held_tried_ticks_ > kRetryTicks) retry_held();
}

std::string Post::describe() const {
  if (!holds()) return {};
  std::uint64_t bytes = 0;
  for (const Held& held : held_) bytes += held.head.envelope.bytes;
  const Envelope& first = held_.front().head.envelope;
  return text(
      "%zu messages (%llu bytes; one from member %d to member %d of team %llu) have come, "
      "and there is no memory to deliver them: %s",
      held_.size(), static_cast<unsigned long long>(bytes), first.from, first.to,
      static_cast<unsigned long long>(first.team), iso::arena().shortage().c_str());
}

}  // namespace roam::runtime
