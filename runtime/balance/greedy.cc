#include <cstddef>
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
  for (const std::uint32_t i : heavy_first(table)) {
    const ThreadLoad& thread = table.threads[i];
    const double here_s = ranks.time_s(thread.rank) + thread.load_s / ranks.speed(thread.rank);
    std::int32_t to = ranks.earliest(thread.load_s, thread.bytes, ranks.everywhere());
    // Memory counts where a thread is until it moves, so that staying is always possible.
    if (to < 0 || here_s <= ranks.time_s(to) + thread.load_s / ranks.speed(to)) to = thread.rank;
    ranks.move_bytes(thread.rank, to, thread.bytes);
    ranks.add_load(to, thread.load_s);
    plan.rank_of[i] = to;
  }
  return keep_if_it_pays(table, std::move(plan));
}

}  // namespace roam::balance
