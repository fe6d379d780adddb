#ifndef ROAM_RUNTIME_BALANCE_FITTED_H_
#define ROAM_RUNTIME_BALANCE_FITTED_H_

#include <cstdint>

#include "runtime/balance/load_table.h"

namespace roam::balance {

// Each rank keeps what fits under a ceiling, what is dear to move first; the rest goes as in
// greedy, inside the node if that will do. Of several ceilings the one that pays most. Near the
// ideal in one pass over the threads, with many moves.
//
// Cost: O(threads log threads + moves log ranks).
Plan fitted(const LoadTable& table, std::uint64_t seed);

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_FITTED_H_
