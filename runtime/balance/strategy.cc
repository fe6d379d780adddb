#include "runtime/balance/strategy.h"

namespace roam::balance {
namespace {

constexpr NamedStrategy kStrategies[] = {
    {"none", "nothing moves", none},
    {"greedy", "from nothing, the longest thread first", greedy},
    {"refine", "a few moves away from the busiest ranks", refine},
    {"greedy-refine", "what fits stays, the rest as greedy", greedy_refine},
    {"comm", "cuts the graph of messages with METIS", comm},
    {"diffusion", "neighbours even out in pairs, without a table", diffusion},
    {"hierarchical", "inside nodes, then between them", hierarchical},
    {"rotate", "for tests: all to the next rank", rotate},
    {"random", "for tests: all to any rank", random},
};

}  // namespace

const NamedStrategy* find_strategy(std::string_view name) {
  for (const NamedStrategy& strategy : kStrategies) {
    if (name == strategy.name) return &strategy;
  }
  return nullptr;
}

std::vector<std::string_view> strategy_names() {
  std::vector<std::string_view> names;
  for (const NamedStrategy& strategy : kStrategies) names.push_back(strategy.name);
  return names;
}

Plan none(const LoadTable& table, std::uint64_t) {
  check_table(table);
  return plan_to_stay(table);
}

}  // namespace roam::balance
