#include "runtime/balancing/loads_along.h"

#include <algorithm>
#include <limits>

#include "runtime/balance/load_table.h"

namespace roam::runtime {
namespace {

// An imbalance below this is not worth a look.
constexpr double kWorthLooking = 1.08;
// What balancing is assumed to take before it was done once.
constexpr double kFirstBalancingS = 5e-4;

// Named loads may be as large as a double can be; a sum beyond that says as little as that.
double sum(double a, double b) { return std::min(a + b, std::numeric_limits<double>::max()); }

// The shorter of two times, of which 0 is none.
float shorter(float a_s, float b_s) {
  return a_s == 0 || b_s == 0 ? a_s + b_s : std::min(a_s, b_s);
}

}  // namespace

void LoadsAlong::took_part(double its_load, double its_computed_s, double its_balancing_s,
                           bool waits) {
  load = sum(load, its_load);
  busiest = load;
  computed_s += static_cast<float>(its_computed_s);
  balancing_s = shorter(balancing_s, static_cast<float>(its_balancing_s));
  not_blocking += !waits;
}

void LoadsAlong::add(const LoadsAlong& more) {
  load = sum(load, more.load);
  busiest = std::max(busiest, more.busiest);
  computed_s += more.computed_s;
  balancing_s = shorter(balancing_s, more.balancing_s);
  not_blocking += more.not_blocking;
}

double LoadsAlong::imbalance(int ranks) const { return load > 0 ? busiest / load * ranks : 1; }

Verdict LoadsAlong::judge(int ranks, double look_s) const {
  if (not_blocking != 0) return Verdict::kGoOn;
  const double average_s = static_cast<double>(computed_s) / ranks;
  if (average_s < look_s) return Verdict::kGoOn;
  const double busiest_of_average = imbalance(ranks);
  const double gain_s = (busiest_of_average - 1) * average_s * balance::Costs{}.steps;
  const double cost_s = std::max<double>(balancing_s, kFirstBalancingS);
  return gain_s > 2 * cost_s && busiest_of_average > kWorthLooking ? Verdict::kBalance
                                                                   : Verdict::kLookAnew;
}

}  // namespace roam::runtime
