#include "runtime/trace/trace.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace roam::runtime {
namespace {

// A thread that is back on the processor so soon, some 1 us, was away for the runtime's own sake.
constexpr std::uint64_t kSameTurnTicks = 2'500;
// A sample once in so many ticks, some 1 ms, in a long run once in 1/10,000 of it.
constexpr std::uint64_t kSampleTicks = 2'500'000;
constexpr std::uint64_t kMostSamples = 10'000;
// Of the messages between two threads so many are noted, and so many more each time that their
// number has doubled.
constexpr int kMessageBits = 10;

// Arrows find their other end by it; so many hops later it may come again.
std::uint32_t number_of_hop(std::uint64_t hop) { return static_cast<std::uint32_t>(hop); }

bool is_noted(std::uint64_t sequence) {
  const int extra = static_cast<int>(std::bit_width(sequence)) - kMessageBits;
  return extra <= 0 || (sequence & ((std::uint64_t{1} << extra) - 1)) == 0;
}

}  // namespace

void BalancingStep::count_in(long double second) {
  constexpr long double kMost = std::numeric_limits<double>::max();
  for (std::vector<double>* loads : {&before, &after}) {
    for (double& load : *loads) load = static_cast<double>(std::min(load * second, kMost));
  }
}

Trace::Trace(int ranks, std::uint64_t begin_ticks)
    : begin_ticks_(begin_ticks),
      next_sample_(begin_ticks),
      traffic_(static_cast<std::size_t>(ranks)) {
  events_.open();
}

[[gnu::always_inline]] inline Event* Trace::add(Event::Kind kind, std::uint64_t ticks,
                                                std::uint64_t thread, std::uint64_t value,
                                                std::uint64_t number, int peer,
                                                std::string_view text) {
  const std::size_t length = std::min(text.size(), kMostText);
  const std::size_t rows = (length + sizeof(Event) - 1) / sizeof(Event);
  Event* event = events_.add(1 + rows);
  event->ticks = ticks;
  event->thread = thread;
  event->value = value;
  event->number = static_cast<std::uint32_t>(std::min<std::uint64_t>(number, UINT32_MAX));
  event->kind = kind;
  event->rows = static_cast<std::uint32_t>(rows) & 15;
  event->asked = 0;
  event->peer = static_cast<std::uint32_t>(peer) & 0x1fffff;
  if (length != 0) {
    std::memset(static_cast<void*>(event + rows), 0, sizeof(Event));
    std::memcpy(static_cast<void*>(event + 1), text.data(), length);
  }
  return event;
}

// ---- threads ----

void Trace::named(std::uint64_t thread, std::string_view name) {
  add(Event::kNamed, 0, thread, 0, 0, 0, name);
}

void Trace::ran(std::uint64_t thread, std::uint64_t begin_ticks, std::uint64_t end_ticks) {
  const bool same = turns_.thread == thread;
  if (turns_.count != 0 && (end_ticks - turns_.begin <= grain_ticks_ ||
                            (same && begin_ticks - turns_.end < kSameTurnTicks))) {
    turns_.end = end_ticks;
    if (!same) turns_.thread = 0;
    ++turns_.count;
    return;
  }
  flush_turns();
  turns_ = {begin_ticks, end_ticks, thread, 1};
}

void Trace::flush_turns() {
  if (turns_.count == 0) return;
  add(Event::kTurns, turns_.begin, turns_.thread, turns_.end, turns_.count, 0);
  if (++noted_turns_ % kFullDetail == 0)
    grain_ticks_ = (turns_.end - begin_ticks_) / (2 * kFullDetail);
  turns_.count = 0;
}

void Trace::ended(std::uint64_t thread, std::uint64_t ran_ns) {
  if (turns_.thread == thread) flush_turns();  // while its name is known
  add(Event::kEnded, 0, thread, ran_ns, 0, 0);
}

// ---- migrations ----

void Trace::departed(std::uint64_t thread, std::uint64_t hop, int to, std::uint64_t bytes_sent,
                     std::uint64_t begin_ticks, bool asked) {
  if (turns_.thread == thread) flush_turns();
  // 40 bits of bytes, 24 of ticks.
  const std::uint64_t ticks = std::min<std::uint64_t>(__rdtsc() - begin_ticks, (1 << 24) - 1);
  add(Event::kDeparted, begin_ticks, thread, bytes_sent << 24 | ticks, number_of_hop(hop), to)
      ->asked = asked;
}

void Trace::arrived(std::uint64_t thread, std::uint64_t hop, std::string_view name) {
  add(Event::kArrived, __rdtsc(), thread, 0, number_of_hop(hop), 0, name);
}

void Trace::refused(std::uint64_t thread, std::uint64_t hop, int by, std::string_view name) {
  add(Event::kRefused, __rdtsc(), thread, 0, number_of_hop(hop), by, name);
}

// ---- the rank ----

void Trace::sample(std::uint64_t now_ticks, std::size_t alive, std::size_t ready,
                   std::uint64_t idle_ticks, std::uint64_t core_ns) {
  next_sample_ = now_ticks + std::max(kSampleTicks, (now_ticks - begin_ticks_) / kMostSamples);
  const Core core{.ns = core_ns, .none = {}};
  add(Event::kSample, now_ticks, alive, idle_ticks, ready, 0,
      {reinterpret_cast<const char*>(&core), sizeof core});
}

void Trace::balanced(const BalancingStep& step) {
  add(Event::kStep, step.begin_ticks, 0, step.end_ticks, 0, 0, step.strategy);
  for (std::size_t rank = 0; rank < step.before.size(); ++rank) {
    const double after = rank < step.after.size() ? step.after[rank] : 0;
    add(Event::kStepRank, 0, std::bit_cast<std::uint64_t>(after),
        std::bit_cast<std::uint64_t>(step.before[rank]), 0, static_cast<int>(rank));
  }
  for (const BalancingStep::Move& move : step.moves) {
    add(Event::kStepMove, 0, move.thread, move.bytes, static_cast<std::uint64_t>(move.from),
        move.to);
  }
  add(Event::kStepEnd, 0, 0, 0, 0, 0);
}

// ---- messages ----

void Trace::sent(std::uint64_t from, std::uint64_t to, int to_rank, std::size_t bytes, int tag,
                 std::uint64_t pair, std::uint64_t sequence, std::uint64_t begin_ticks) {
  Traffic& traffic = traffic_[static_cast<std::size_t>(to_rank)];
  ++traffic.messages;
  traffic.bytes += bytes;
  add_message(Event::kSent, begin_ticks, from, to, to_rank, tag,
              {bytes, sequence, pair, __rdtsc()});
}

void Trace::received(std::uint64_t from, std::uint64_t to, int from_rank, std::size_t bytes,
                     int tag, std::uint64_t pair, std::uint64_t sequence) {
  const std::uint64_t now = __rdtsc();
  add_message(Event::kReceived, now, to, from, from_rank, tag, {bytes, sequence, pair, now});
}

void Trace::add_message(Event::Kind kind, std::uint64_t begin_ticks, std::uint64_t thread,
                        std::uint64_t other, int peer, int tag, const MessageRow& row) {
  const bool noted =
      row.sequence == 0 ? row.end_ticks - last_message_ >= grain_ticks_ : is_noted(row.sequence);
  if (!noted) return;
  last_message_ = row.end_ticks;
  add(kind, begin_ticks, thread, other, static_cast<std::uint32_t>(tag), peer,
      {reinterpret_cast<const char*>(&row), sizeof row});
}

// ---- afterwards ----

void Trace::close(std::uint64_t now_ticks, std::uint64_t idle_ticks, std::uint64_t core_ns) {
  flush_turns();
  sample(now_ticks, 0, 0, idle_ticks, core_ns);
  for (std::size_t rank = 0; rank < traffic_.size(); ++rank) {
    if (traffic_[rank].messages == 0) continue;
    add(Event::kTraffic, now_ticks, traffic_[rank].bytes, traffic_[rank].messages, 0,
        static_cast<int>(rank));
  }
  next_sample_ = UINT64_MAX;
}

}  // namespace roam::runtime
