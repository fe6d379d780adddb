#include <utility>

#include "runtime/balance/heavy_first.h"
#include "runtime/balance/outcome.h"
#include "runtime/balance/rank_tree.h"
#include "runtime/balance/strategy.h"

namespace roam::balance {

Plan greedy(const LoadTable& table, std::uint64_t) {
  check_table(table);
  Plan plan = plan_to_stay(table);
  RankTree ranks(table);
  ranks.add_fixed(table);
  for (const SortedThread& thread : heavy_first(table)) {
    if (thread.fixed) continue;
    std::int32_t to = ranks.earliest(thread.load_s, thread, ranks.everywhere());
    // Memory counts where a thread is until it moves, so that staying is always possible.
    if (to < 0 || ranks.end_s(thread.rank, thread.load_s) <= ranks.end_s(to, thread.load_s)) {
      to = thread.rank;
    }
    ranks.move_bytes(thread.rank, to, thread);
    ranks.add_load(to, thread.load_s);
    plan.rank_of[thread.index] = to;
  }
  return keep_if_it_pays(table, std::move(plan));
}

}  // namespace roam::balance
