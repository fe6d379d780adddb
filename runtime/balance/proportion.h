#ifndef ROAM_RUNTIME_BALANCE_PROPORTION_H_
#define ROAM_RUNTIME_BALANCE_PROPORTION_H_

#include <cmath>
#include <vector>

#include "runtime/balance/load_table.h"

namespace roam::balance {

// Loads that a program names are in a unit of its choice, while moves and messages cost seconds. Of
// such loads only their proportions count: they are put in a table as if a step in which each rank
// has its share took one second.

// `load` as a whole number, in proportion to `most`, the largest of all, which becomes 2^30; 0 if
// `most` is. Whole numbers, since a load in another unit is rounded otherwise, and a sum of such
// would be another one: then ties would be decided by the unit. REQUIRES: 0 <= load <= most, or a
// sum of such.
inline double proportion(long double load, long double most) {
  // What is rounded up begins between simple fractions: thirds and halves are rounded alike in
  // every unit.
  constexpr long double kMost = 1 << 30, kRound = 0.3819660112501051518L;
  return most > 0 ? static_cast<double>(std::floor(load / most * kMost + kRound)) : 0;
}

// Sets the loads of all threads of `table`, whose ranks are known, to those that `loads` stand for.
// Returns how much load is a second. Loads that are all 0 stay so.
long double set_proportions(LoadTable& table, const std::vector<long double>& loads);

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_PROPORTION_H_
