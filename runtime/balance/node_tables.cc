#include "runtime/balance/node_tables.h"

#include <algorithm>
#include <numeric>

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
                              std::uint64_t seed, const std::vector<bool>& which) const {
  // The threads of each node, in their order.
  std::vector<std::size_t> begin(nodes() + 1);
  for (const std::int32_t rank : plan.rank_of) ++begin[static_cast<std::size_t>(node_of(rank)) + 1];
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  std::vector<std::uint32_t> threads(plan.rank_of.size());
  std::vector<std::size_t> end(begin);
  for (std::size_t i = 0; i < plan.rank_of.size(); ++i)
    threads[end[static_cast<std::size_t>(node_of(plan.rank_of[i]))]++] =
        static_cast<std::uint32_t>(i);

  Plan result = plan;
  LoadTable part;
  part.costs = table_.costs;
  std::vector<std::int32_t> block_in_part(table_.block_bytes.size(), -1);
  for (std::size_t node = 0; node < nodes(); ++node) {
    if (!which[node]) continue;
    part.ranks.clear();
    for (const std::int32_t r : ranks_[node])
      part.ranks.push_back(table_.ranks[static_cast<std::size_t>(r)]);
    part.threads.clear();
    std::vector<std::int32_t> blocks;  // of the node's threads
    part.block_bytes.clear();
    for (std::size_t at = begin[node]; at < begin[node + 1]; ++at) {
      const std::size_t i = threads[at];
      part.threads.push_back(table_.threads[i]);
      ThreadLoad& thread = part.threads.back();
      thread.rank = index_[static_cast<std::size_t>(plan.rank_of[i])];
      if (thread.block < 0) continue;
      std::int32_t& number = block_in_part[static_cast<std::size_t>(thread.block)];
      if (number < 0) {
        number = static_cast<std::int32_t>(blocks.size());
        blocks.push_back(thread.block);
        part.block_bytes.push_back(table_.block_bytes[static_cast<std::size_t>(thread.block)]);
      }
      thread.block = number;
    }
    for (const std::int32_t block : blocks) block_in_part[static_cast<std::size_t>(block)] = -1;
    const Plan inside = strategy(part, seed);
    for (std::size_t at = begin[node]; at < begin[node + 1]; ++at) {
      result.rank_of[threads[at]] =
          ranks_[node][static_cast<std::size_t>(inside.rank_of[at - begin[node]])];
    }
  }
  return result;
}

}  // namespace roam::balance
