#include "runtime/balance/within_limits.h"

#include "runtime/balance/heavy_first.h"
#include "runtime/balance/rank_tree.h"

namespace roam::balance {

Plan within_limits(const LoadTable& table, const Plan& plan) {
  Plan result = plan_to_stay(table);
  RankTree ranks(table);
  for (const SortedThread& thread : heavy_first(table)) {
    const std::int32_t to = plan.rank_of[thread.index];
    if (to == thread.rank || !ranks.has_room(to, thread)) continue;
    ranks.move_bytes(thread.rank, to, thread);
    result.rank_of[thread.index] = to;
  }
  return result;
}

}  // namespace roam::balance
