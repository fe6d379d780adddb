#include "runtime/balance/outcome.h"
#include "runtime/balance/refine_moves.h"
#include "runtime/balance/strategy.h"

namespace roam::balance {

Plan refine(const LoadTable& table, std::uint64_t) {
  check_table(table);
  return keep_if_it_pays(table, refine_moves(table, kRefineGoal));
}

}  // namespace roam::balance
