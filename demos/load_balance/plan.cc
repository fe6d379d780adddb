#include "demos/load_balance/plan.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace {

// Less than this is not worth a move: a few turns of a thread on a busy rank.
constexpr double kWorthSeconds = 0.010;

}  // namespace

std::optional<Gift> choose_gift(std::span<const double> rank_seconds, int here,
                                std::span<const double> job_seconds) {
  const double average = std::accumulate(rank_seconds.begin(), rank_seconds.end(), 0.0) /
                         static_cast<double>(rank_seconds.size());
  const auto least = std::min_element(rank_seconds.begin(), rank_seconds.end());
  const double too_much = rank_seconds[static_cast<std::size_t>(here)] - average;
  const double wanted = std::min(too_much, average - *least);
  if (wanted < kWorthSeconds || job_seconds.empty()) return std::nullopt;

  const auto nearest = std::min_element(
      job_seconds.begin(), job_seconds.end(),
      [wanted](double a, double b) { return std::abs(a - wanted) < std::abs(b - wanted); });
  const double gain = wanted - std::abs(*nearest - wanted);
  if (gain < kWorthSeconds / 2) return std::nullopt;
  return Gift{static_cast<std::size_t>(nearest - job_seconds.begin()),
              static_cast<int>(least - rank_seconds.begin())};
}
