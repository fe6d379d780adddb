#include "runtime/balance/outcome.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace roam::balance {
namespace {

std::size_t rank_in(const Plan& plan, std::size_t thread) {
  return static_cast<std::size_t>(plan.rank_of[thread]);
}

// Seconds that each rank computes.
std::vector<double> compute_s(const LoadTable& table, const Plan& plan) {
  std::vector<double> seconds(table.ranks.size());
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    seconds[rank_in(plan, i)] += table.threads[i].load_s;
  }
  for (std::size_t r = 0; r < seconds.size(); ++r) seconds[r] /= table.ranks[r].speed;
  return seconds;
}

double imbalance_from(const LoadTable& table, const std::vector<double>& compute) {
  const double ideal_s = ideal_step_s(table);
  return ideal_s > 0 ? *std::max_element(compute.begin(), compute.end()) / ideal_s : 1;
}

// Counts what crosses ranks and nodes; adds the time of messages to both of their ranks.
void add_messages(const LoadTable& table, const Plan& plan, std::vector<double>& seconds,
                  Outcome& outcome) {
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    const std::size_t from = rank_in(plan, i);
    for (const Edge& edge : table.edges_of(i)) {
      const std::size_t to = rank_in(plan, edge.to);
      if (from == to) continue;
      outcome.cut_rank_bytes += edge.bytes;
      if (table.ranks[from].node == table.ranks[to].node) continue;
      outcome.cut_node_bytes += edge.bytes;
      seconds[from] += table.costs.comm_s(edge);
      seconds[to] += table.costs.comm_s(edge);
    }
  }
}

void add_moves(const LoadTable& table, const Plan& plan, Outcome& outcome) {
  std::vector<double> seconds(table.ranks.size());
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    const ThreadLoad& thread = table.threads[i];
    if (plan.rank_of[i] == thread.rank) continue;
    const bool between = !table.same_node(thread.rank, plan.rank_of[i]);
    const double move_s = table.costs.move_s(between, thread.bytes);
    seconds[static_cast<std::size_t>(thread.rank)] += move_s;
    seconds[rank_in(plan, i)] += move_s;
    ++outcome.moves;
    if (!between) continue;
    ++outcome.moves_between_nodes;
    outcome.bytes_between_nodes += thread.bytes;
  }
  outcome.move_s = *std::max_element(seconds.begin(), seconds.end());
}

}  // namespace

double ideal_step_s(const LoadTable& table) {
  double load_s = 0, speed = 0;
  for (const ThreadLoad& thread : table.threads) load_s += thread.load_s;
  for (const RankInfo& rank : table.ranks) speed += rank.speed;
  return load_s / speed;
}

Outcome outcome_of(const LoadTable& table, const Plan& plan) {
  Outcome outcome;
  std::vector<double> seconds = compute_s(table, plan);
  outcome.imbalance = imbalance_from(table, seconds);
  add_messages(table, plan, seconds, outcome);
  outcome.step_s = *std::max_element(seconds.begin(), seconds.end());
  add_moves(table, plan, outcome);
  return outcome;
}

double imbalance_of(const LoadTable& table, const Plan& plan) {
  return imbalance_from(table, compute_s(table, plan));
}

double net_gain_s(const LoadTable& table, const Outcome& before, const Outcome& after) {
  return table.costs.steps * (before.step_s - after.step_s) - after.move_s;
}

bool pays(const LoadTable& table, const Outcome& before, const Outcome& after,
          double imbalance_allowed) {
  return after.imbalance <= std::max(before.imbalance, imbalance_allowed) &&
         net_gain_s(table, before, after) > 0;
}

Plan keep_if_it_pays(const LoadTable& table, Plan plan, double imbalance_allowed) {
  Plan stay = plan_to_stay(table);
  const bool good =
      pays(table, outcome_of(table, stay), outcome_of(table, plan), imbalance_allowed);
  return good ? std::move(plan) : std::move(stay);
}

}  // namespace roam::balance
