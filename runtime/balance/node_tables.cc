#include "runtime/balance/node_tables.h"

#include <algorithm>

namespace roam::balance {

NodeTables::NodeTables(const LoadTable& table)
    : table_(table), node_(table.ranks.size()), index_(table.ranks.size()) {
  std::vector<std::int32_t> numbers;
  for (const RankInfo& rank : table.ranks) numbers.push_back(rank.node);
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  ranks_.resize(numbers.size());
  for (std::size_t r = 0; r < table.ranks.size(); ++r) {
    const auto at = std::lower_bound(numbers.begin(), numbers.end(), table.ranks[r].node);
    const auto node = static_cast<std::size_t>(at - numbers.begin());
    node_[r] = static_cast<std::int32_t>(node);
    index_[r] = static_cast<std::int32_t>(ranks_[node].size());
    ranks_[node].push_back(static_cast<std::int32_t>(r));
  }
}

LoadTable NodeTables::between_nodes() const {
  LoadTable result;
  result.threads = table_.threads;
  for (ThreadLoad& thread : result.threads) thread.rank = node_of(thread.rank);
  result.first_edge = table_.first_edge;
  result.edges = table_.edges;
  result.block_bytes = table_.block_bytes;
  for (std::size_t node = 0; node < nodes(); ++node) {
    RankInfo sum{.speed = 0, .node = static_cast<std::int32_t>(node)};
    bool limited = true;
    for (const std::int32_t r : ranks_[node]) {
      const RankInfo& rank = table_.ranks[static_cast<std::size_t>(r)];
      sum.speed += rank.speed;
      sum.memory_bytes += rank.memory_bytes;
      sum.used_bytes += rank.used_bytes;
      limited = limited && rank.memory_bytes != 0;
    }
    if (!limited) sum.memory_bytes = 0;
    result.ranks.push_back(sum);
  }
  result.costs = table_.costs;
  const double senders = static_cast<double>(table_.ranks.size()) / static_cast<double>(nodes());
  result.costs.move_s_per_byte /= senders;
  result.costs.move_between_s /= senders;
  result.costs.comm_s_per_byte /= senders;
  result.costs.comm_s_per_message /= senders;
  return result;
}

Plan NodeTables::inside_nodes(const Plan& plan, Plan (*strategy)(const LoadTable&, std::uint64_t),
                              std::uint64_t seed) const {
  std::vector<std::vector<std::size_t>> threads(nodes());
  for (std::size_t i = 0; i < plan.rank_of.size(); ++i) {
    threads[static_cast<std::size_t>(node_of(plan.rank_of[i]))].push_back(i);
  }
  Plan result = plan;
  for (std::size_t node = 0; node < nodes(); ++node) {
    LoadTable part;
    part.costs = table_.costs;
    part.block_bytes = table_.block_bytes;
    for (const std::int32_t r : ranks_[node]) {
      part.ranks.push_back(table_.ranks[static_cast<std::size_t>(r)]);
    }
    for (const std::size_t i : threads[node]) {
      part.threads.push_back(table_.threads[i]);
      part.threads.back().rank = index_[static_cast<std::size_t>(plan.rank_of[i])];
    }
    const Plan inside = strategy(part, seed);
    for (std::size_t i = 0; i < threads[node].size(); ++i) {
      result.rank_of[threads[node][i]] = ranks_[node][static_cast<std::size_t>(inside.rank_of[i])];
    }
  }
  return result;
}

}  // namespace roam::balance
