#include "runtime/balance/load_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/text.h"
#include "roam/error.h"

namespace roam::balance {
namespace {

template <class... Values>
[[noreturn]] void refuse(const char* format, Values... values) {
  throw Error(Errc::bad_option, "load table: " + text(format, values...));
}

bool is_amount(double value) { return std::isfinite(value) && value >= 0; }

void check_ranks(const LoadTable& table) {
  if (table.ranks.empty()) refuse("%s", "there is no rank");
  if (table.ranks.size() > std::numeric_limits<std::int32_t>::max()) {
    refuse("%zu ranks, more than 2^31 - 1", table.ranks.size());
  }
  for (std::size_t r = 0; r < table.ranks.size(); ++r) {
    const RankInfo& rank = table.ranks[r];
    if (!(std::isfinite(rank.speed) && rank.speed > 0)) {
      refuse("rank %zu has speed %g, which is not above 0", r, rank.speed);
    }
    if (rank.node < 0) refuse("rank %zu is on node %d, which is below 0", r, rank.node);
  }
}

void check_threads(const LoadTable& table) {
  if (table.threads.size() > std::numeric_limits<std::int32_t>::max()) {
    refuse("%zu threads, more than 2^31 - 1", table.threads.size());
  }
  double sum_s = 0;
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    const ThreadLoad& thread = table.threads[i];
    if (!is_amount(thread.load_s)) {
      refuse("thread %zu has load %g s, which is no amount of time", i, thread.load_s);
    }
    if (thread.rank < 0 || static_cast<std::size_t>(thread.rank) >= table.ranks.size()) {
      refuse("thread %zu is on rank %d of %zu", i, thread.rank, table.ranks.size());
    }
    if (thread.block < -1 || thread.block >= static_cast<std::int64_t>(table.block_bytes.size())) {
      refuse("thread %zu shares block %d of %zu", i, thread.block, table.block_bytes.size());
    }
    sum_s += thread.load_s;
  }
  if (!std::isfinite(sum_s)) refuse("%s", "the loads sum up to more than a double holds");
}

void check_edges(const LoadTable& table) {
  if (table.edges.empty() && table.first_edge.empty()) return;
  const std::size_t threads = table.threads.size();
  if (table.first_edge.size() != threads + 1 || table.first_edge.front() != 0 ||
      table.first_edge.back() != table.edges.size()) {
    refuse("first_edge (%zu entries) does not span %zu edges of %zu threads",
           table.first_edge.size(), table.edges.size(), threads);
  }
  for (std::size_t i = 0; i < threads; ++i) {
    if (table.first_edge[i] > table.first_edge[i + 1]) refuse("first_edge falls at thread %zu", i);
  }
  for (std::size_t e = 0; e < table.edges.size(); ++e) {
    if (table.edges[e].to >= threads) {
      refuse("edge %zu goes to thread %u of %zu", e, table.edges[e].to, threads);
    }
  }
}

void check_costs(const Costs& costs) {
  const struct {
    const char* name;
    double value;
  } all[] = {{"steps", costs.steps},
             {"move_s_per_byte", costs.move_s_per_byte},
             {"move_between_s", costs.move_between_s},
             {"move_in_node_s", costs.move_in_node_s},
             {"comm_s_per_byte", costs.comm_s_per_byte},
             {"comm_s_per_message", costs.comm_s_per_message}};
  for (const auto& [name, value] : all) {
    if (!is_amount(value)) refuse("cost %s is %g, which is no amount", name, value);
  }
}

}  // namespace

Plan plan_to_stay(const LoadTable& table) {
  Plan plan;
  plan.rank_of.reserve(table.threads.size());
  for (const ThreadLoad& thread : table.threads) plan.rank_of.push_back(thread.rank);
  return plan;
}

std::vector<std::uint64_t> bytes_on_ranks(const LoadTable& table, const Plan& plan) {
  std::vector<std::uint64_t> bytes;
  bytes.reserve(table.ranks.size());
  for (const RankInfo& rank : table.ranks) bytes.push_back(rank.used_bytes);
  std::vector<std::pair<std::int32_t, std::int32_t>> shared;  // rank, block
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    bytes[static_cast<std::size_t>(plan.rank_of[i])] += table.threads[i].bytes;
    if (table.threads[i].block >= 0) shared.emplace_back(plan.rank_of[i], table.threads[i].block);
  }
  std::sort(shared.begin(), shared.end());
  shared.erase(std::unique(shared.begin(), shared.end()), shared.end());
  for (const auto& [rank, block] : shared) {
    bytes[static_cast<std::size_t>(rank)] += table.block_bytes[static_cast<std::size_t>(block)];
  }
  return bytes;
}

void check_table(const LoadTable& table) {
  check_ranks(table);
  check_threads(table);
  check_edges(table);
  check_costs(table.costs);
}

void check_plan(const LoadTable& table, const Plan& plan) {
  if (plan.rank_of.size() != table.threads.size()) {
    refuse("a plan for %zu threads, of %zu", plan.rank_of.size(), table.threads.size());
  }
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    const std::int32_t to = plan.rank_of[i];
    if (to < 0 || static_cast<std::size_t>(to) >= table.ranks.size()) {
      refuse("the plan sends thread %zu to rank %d of %zu", i, to, table.ranks.size());
    }
    if (table.threads[i].fixed && to != table.threads[i].rank) {
      refuse("the plan sends thread %zu to rank %d, but it cannot leave rank %d", i, to,
             table.threads[i].rank);
    }
  }
  const std::vector<std::uint64_t> before = bytes_on_ranks(table, plan_to_stay(table));
  const std::vector<std::uint64_t> after = bytes_on_ranks(table, plan);
  for (std::size_t r = 0; r < table.ranks.size(); ++r) {
    const std::uint64_t limit = table.ranks[r].memory_bytes;
    if (limit != 0 && after[r] > limit && after[r] > before[r]) {
      refuse("the plan puts %s on rank %zu, whose limit is %s", bytes_text(after[r]).c_str(), r,
             bytes_text(limit).c_str());
    }
  }
}

}  // namespace roam::balance
