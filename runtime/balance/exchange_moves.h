#ifndef ROAM_RUNTIME_BALANCE_EXCHANGE_MOVES_H_
#define ROAM_RUNTIME_BALANCE_EXCHANGE_MOVES_H_

#include <cstddef>

#include "runtime/balance/load_table.h"

namespace roam::balance {

// `start` after exchanges away from the busiest rank (exchange.h), until no rank is above
// `ceiling_s` or none helps. Then moves are saved: threads go back to where the table has them if
// others can go on in their place, and as long as `looks` exchanges have not been looked at, a few
// of the moves are undone and found anew, and what came out is kept if it is no worse. What a
// thread costs counts from its place in the table, so that it may move again and again. Messages
// are not looked at.
//
// Cost: O(threads + ranks log ranks), a bounded number of looks a thread, and five times `looks`.
// Source: Schrimpf et al. 2000, Record breaking optimization results using the ruin and recreate
//         principle.
Plan exchange_moves(const LoadTable& table, const Plan& start, double ceiling_s, std::size_t looks);

// The looks that a decision may take where a step can be `excess_s` shorter: of the time that this
// wins a small part, and not more than what takes some milliseconds. 0 if a thread would not get
// one.
std::size_t affordable_looks(const LoadTable& table, double excess_s);

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_EXCHANGE_MOVES_H_
