#include "threads/meter.h"

#include <x86intrin.h>

#include <algorithm>
#include <ctime>

#include "base/clock.h"

namespace roam::threads {
namespace {

// Between visits of the rank's own stack: it hears other ranks, and is not felt.
constexpr std::int64_t kVisitNs = 20'000;
// How often the time-stamp counter is compared with the clock, in its ticks.
constexpr std::uint64_t kMeasureTicks = 1'000'000;
constexpr std::int64_t kMeasureNs = 2'000'000'000;
// Most switches of a window, on average: what begins to run long is noticed then. To read the clock
// takes 9 ns.
constexpr std::uint64_t kMostMean = 128;
// A turn is long, for asking how much processor time it had (0.9 us), from some 200 us on.
constexpr std::uint64_t kLongTurnTicks = 500'000;

std::int64_t processor_ns() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

void Meter::start(bool every_turn) {
  every_turn_ = every_turn;
  start_ns_ = now_ns();
  start_ticks_ = __rdtsc();
}

void Meter::begin_run() {
  if (const std::int64_t ns = now_ns() - start_ns_; ns > kVisitNs)
    set_ticks_per_ns(static_cast<double>(__rdtsc() - start_ticks_) / static_cast<double>(ns));
  mean_window_ = 1;
}

void Meter::set_ticks_per_ns(double ticks) {
  ticks_per_ns_ = ticks;
  visit_ticks_ = static_cast<std::uint64_t>(static_cast<double>(kVisitNs) * ticks);
  short_ticks_ = visit_ticks_ / 8 / kMostMean;
}

// ---- windows ----

std::uint64_t Meter::next_window(Tcb* t, std::uint64_t now, std::uint64_t left) {
  end_turn(t, now);
  // Rounded up to what the largest mean is for, which spares two divisions.
  const std::uint64_t elapsed = now - window_start_;
  const std::uint64_t per_switch =
      elapsed < window_ * short_ticks_ ? short_ticks_ : elapsed / window_ + 1;
  // It grows slowly, since a window may have been interrupted.
  if (window_ > 1) usual_ticks_ = std::min(per_switch, 2 * usual_ticks_ + 100);
  const bool each = every_turn_ || turn_ended != nullptr;
  if (each) {
    mean_window_ = 1;
  } else if (per_switch <= short_ticks_) {
    mean_window_ = kMostMean;
  } else {
    mean_window_ = std::clamp<std::uint64_t>(visit_ticks_ / 8 / per_switch, 1, kMostMean);
  }
  if (now - last_visit_ >= visit_ticks_) return 0;
  return begin_window(now, left, false);
}

std::uint64_t Meter::visited(std::uint64_t now, std::uint64_t left) {
  if (now - measured_ticks_ > kMeasureTicks) [[unlikely]] {
    measured_ticks_ = now;
    const std::int64_t ns = now_ns();
    // Later on it is known well enough, and times that were read before must not change.
    if (ns - start_ns_ > kVisitNs && ns - start_ns_ < kMeasureNs) {
      set_ticks_per_ns(static_cast<double>(now - start_ticks_) /
                       static_cast<double>(ns - start_ns_));
    }
  }
  last_visit_ = now;
  if (shared_core_ || now - cpu_mark_ticks_ > kLongTurnTicks / 2) mark_processor_time(now);
  return begin_window(now, left, true);
}

// After a window of many turns, or four where turns are very short, comes one of a single turn,
// which is measured; their length in turns is random, so that threads that take turns are met
// alike.
std::uint64_t Meter::begin_window(std::uint64_t now, std::uint64_t left, bool after_visit) {
  if (window_ > 1) unmeasured_ += window_ - left;
  bool measure = mean_window_ == 1 || after_visit;
  if (!measure && window_ > 1) measure = mean_window_ < kMostMean || ++long_windows_ % 4 == 0;
  if (measure) {
    window_ = 1;
    turn_start_ = now;
  } else {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    window_ = mean_window_ / 2 + random_ % mean_window_ + 1;
  }
  window_start_ = now;
  return window_;
}

// ---- turns ----

void Meter::end_turn(Tcb* t, std::uint64_t now) {
  if (turn_start_ == 0 || t == nullptr) return;
  std::uint64_t ticks = now - turn_start_;
  if (turn_ended != nullptr) turn_ended(t, turn_start_, now);
  turn_start_ = 0;
  if (ticks > kLongTurnTicks) [[unlikely]] {
    const std::int64_t before_ns = cpu_mark_ns_;
    mark_processor_time(now);
    ticks = std::min(ticks, static_cast<std::uint64_t>(
                                static_cast<double>(cpu_mark_ns_ - before_ns) * ticks_per_ns_));
  }
  // A turn that was much longer than usual, or was interrupted, stands for itself only.
  t->run_ticks += ticks + std::min(ticks, 4 * usual_ticks_) * unmeasured_;
  unmeasured_ = 0;
}

void Meter::measure_from_here(Tcb* t, std::uint64_t now) {
  end_turn(t, now);
  turn_start_ = now;
  window_ = 1;
}

void Meter::mark_processor_time(std::uint64_t now) {
  cpu_mark_ticks_ = now;
  cpu_mark_ns_ = processor_ns();
}

}  // namespace roam::threads
