#ifndef ROAM_RUNTIME_BALANCE_REFINE_MOVES_H_
#define ROAM_RUNTIME_BALANCE_REFINE_MOVES_H_

#include "runtime/balance/load_table.h"

namespace roam::balance {

// What refine does, without its last word: single moves away from the busiest rank, each the best
// of a few that are near the right size, by what it relieves, what it costs and what messages
// between nodes it makes or saves; until no rank is above `goal` times the ideal or no move helps.
// Of this row of moves the first so many are kept that pay most. No thread moves twice.
//
// Cost: O((threads + moves) log), and O(degree) for each move that is looked at.
Plan refine_moves(const LoadTable& table, double goal);

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_REFINE_MOVES_H_
