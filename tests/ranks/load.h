#ifndef ROAM_TESTS_RANKS_LOAD_H_
#define ROAM_TESTS_RANKS_LOAD_H_

#include <algorithm>
#include <vector>

#include "roam/roam.h"

namespace roam_test {

// The sum of the members' own loads on each rank. All members call it.
inline std::vector<double> load_of_ranks(const roam::Team& team, double own) {
  std::vector<double> loads(static_cast<std::size_t>(roam::ranks()));
  loads[static_cast<std::size_t>(roam::rank())] = own;
  return team.allreduce(loads);
}

// The largest over the average.
inline double imbalance(const std::vector<double>& loads) {
  double sum = 0, most = 0;
  for (const double load : loads) {
    sum += load;
    most = std::max(most, load);
  }
  return most / (sum / static_cast<double>(loads.size()));
}

}  // namespace roam_test

#endif  // ROAM_TESTS_RANKS_LOAD_H_
