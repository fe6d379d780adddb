#ifndef ROAM_DEADLINE_H_
#define ROAM_DEADLINE_H_

#include <chrono>
#include <cstdint>

// When a wait ends, from the durations and times of any clock that programs give.
namespace roam::detail {

std::int64_t deadline_after(std::chrono::nanoseconds duration);  // on the job's clock; saturates

// A time to wait, whatever its unit and size: none if it is negative or no number, and the longest
// there is if it does not fit.
template <class Rep, class Period>
constexpr std::chrono::nanoseconds saturated(std::chrono::duration<Rep, Period> time) {
  const double ns = std::chrono::duration<double, std::nano>(time).count();
  if (ns >= 9.2e18) return std::chrono::nanoseconds::max();
  if (!(ns > 0)) return std::chrono::nanoseconds(0);
  return std::chrono::ceil<std::chrono::nanoseconds>(time);
}

template <class Rep, class Period>
std::int64_t deadline_in(std::chrono::duration<Rep, Period> time) {
  return deadline_after(saturated(time));
}

template <class Clock, class Duration>
std::int64_t deadline_at(std::chrono::time_point<Clock, Duration> when) {
  using Nanoseconds = std::chrono::duration<double, std::nano>;
  const auto now = Clock::now();
  const double ns =
      Nanoseconds(when.time_since_epoch()).count() - Nanoseconds(now.time_since_epoch()).count();
  if (ns >= 4e18) return deadline_after(std::chrono::nanoseconds::max());
  if (ns <= -1e6) return deadline_after(std::chrono::nanoseconds(0));
  return deadline_in(when - now);
}

}  // namespace roam::detail

#endif  // ROAM_DEADLINE_H_
