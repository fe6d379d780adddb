#ifndef ROAM_RUNTIME_BALANCE_BOUNDS_H_
#define ROAM_RUNTIME_BALANCE_BOUNDS_H_

#include <cstddef>

#include "runtime/balance/load_table.h"

namespace roam::balance {

// What no plan can do better. Neither looks at messages or memory, so that a plan may have to do
// worse.

// Seconds that the longest rank computes at least: the mean; what cannot leave a rank; the longest
// thread on the fastest rank. Where ranks are equally fast, also what follows from there being more
// long threads than ranks, or than ranks on which there is room beside what cannot leave them.
//
// Cost: O(threads log threads + ranks log ranks).
double shortest_step_s(const LoadTable& table);

// Moves that it takes at least until no rank computes longer than `step_s`: each that does gives
// away its longest threads first.
//
// Cost: O(threads log threads + ranks).
std::size_t fewest_moves(const LoadTable& table, double step_s);

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_BOUNDS_H_
