#ifndef ROAM_RUNTIME_BALANCE_WITHIN_LIMITS_H_
#define ROAM_RUNTIME_BALANCE_WITHIN_LIMITS_H_

#include "runtime/balance/load_table.h"

namespace roam::balance {

// As much of `plan`, which looked at no memory, as memory allows: the longest threads go first, and
// who finds its rank full stays.
//
// Cost: O(threads log threads).
Plan within_limits(const LoadTable& table, const Plan& plan);

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_WITHIN_LIMITS_H_
