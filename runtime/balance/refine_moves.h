#ifndef ROAM_RUNTIME_BALANCE_REFINE_MOVES_H_
#define ROAM_RUNTIME_BALANCE_REFINE_MOVES_H_

#include "runtime/balance/load_table.h"

namespace roam::balance {

// What refine does, without its last word: single moves away from the busiest rank, each the best
// of a few, cheap ones of about the right size, by what it relieves, what it costs and what
// messages between nodes it makes or saves; until no rank is above `goal` times the ideal or no
// move helps. Of this row of moves the first so many are kept that pay most. No thread moves twice.
// Edges between threads are those of `edges`, a table of the same threads, in place of `table`'s
// own, which need not be copied then.
//
// Cost: O(threads) where no rank is above the goal; else O(edges) once, O(threads log) for those of
//       each rank that gives any away, and O(log + degree) for each move that is looked at.
Plan refine_moves(const LoadTable& table, double goal, const LoadTable* edges = nullptr);

// `table` without its edges, with threads where `plan` has them: for moves after other moves.
LoadTable places_of(const LoadTable& table, const Plan& plan);

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_REFINE_MOVES_H_
