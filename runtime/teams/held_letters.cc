#include "runtime/teams/held_letters.h"

#include <x86intrin.h>

#include "base/text.h"
#include "isomalloc/arena.h"

namespace roam::runtime {
namespace {

constexpr std::uint64_t kRetryTicks = 125'000;  // some 50 us

}  // namespace

void HeldLetters::add(detail::Parcel* parcel, Target receiver) {
  held_.push_back({{Kind::kLetter, 0, parcel->envelope, receiver, nullptr}, {}, parcel});
}

void HeldLetters::add(const LetterHead& head, const char* data) {
  const std::size_t bytes = head.kind == Kind::kLetter ? head.envelope.bytes : 0;
  held_.push_back({head, std::vector<char>(data, data + bytes), nullptr});
}

bool HeldLetters::may_retry() const { return __rdtsc() - tried_ticks_ > kRetryTicks; }

void HeldLetters::note_try() { tried_ticks_ = __rdtsc(); }

std::string HeldLetters::describe() const {
  if (empty()) return {};
  std::uint64_t bytes = 0;
  for (const Held& held : held_) bytes += held.head.envelope.bytes;
  const detail::Envelope& first = held_.front().head.envelope;
  return text(
      "%zu messages (%llu bytes; one from member %d to member %d of team %llu) have come, "
      "and there is no memory to deliver them: %s",
      held_.size(), static_cast<unsigned long long>(bytes), first.from, first.to,
      static_cast<unsigned long long>(first.team), iso::arena().limit().shortage().c_str());
}

}  // namespace roam::runtime
