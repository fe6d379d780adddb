// The strategies for tests: they move threads whether that is of use or not.
#include <cstddef>
#include <random>

#include "runtime/balance/rank_tree.h"
#include "runtime/balance/strategy.h"

namespace roam::balance {
namespace {

// Every thread to target(its rank), unless that rank is full.
template <class Target>
Plan scatter(const LoadTable& table, Target target) {
  check_table(table);
  Plan plan = plan_to_stay(table);
  RankTree ranks(table);
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    const ThreadLoad& thread = table.threads[i];
    const std::int32_t to = target(thread.rank);
    if (thread.fixed || to == thread.rank || !ranks.has_room(to, thread)) continue;
    ranks.move_bytes(thread.rank, to, thread);
    plan.rank_of[i] = to;
  }
  return plan;
}

}  // namespace

Plan rotate(const LoadTable& table, std::uint64_t) {
  const auto ranks = static_cast<std::int64_t>(table.ranks.size());
  return scatter(table, [ranks](std::int32_t rank) {
    return static_cast<std::int32_t>((std::int64_t{rank} + 1) % ranks);
  });
}

Plan random(const LoadTable& table, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  const std::uint64_t ranks = table.ranks.size();
  return scatter(table, [&](std::int32_t) {
    // Not std::uniform_int_distribution, whose results differ between libraries.
    return static_cast<std::int32_t>((static_cast<unsigned __int128>(generator()) * ranks) >> 64);
  });
}

}  // namespace roam::balance
