#include "runtime/balance/outcome.h"

#include <gtest/gtest.h>

#include "runtime/balance/test_tables.h"

namespace roam::balance {
namespace {

TEST(Outcome, OfATableWithoutLoadIsBalanced) {
  EXPECT_EQ(imbalance_of(table_of({}, 3), {}), 1);
  EXPECT_EQ(imbalance_of(table_of({0, 0}, 3), {{0, 2}}), 1);
}

TEST(Outcome, WeighsLoadsBySpeed) {
  LoadTable table = table_of({3, 1}, 2);
  table.ranks[0].speed = 3;
  EXPECT_DOUBLE_EQ(imbalance_of(table, {{0, 1}}), 1);
  EXPECT_DOUBLE_EQ(imbalance_of(table, {{1, 0}}), 3);
  EXPECT_DOUBLE_EQ(ideal_step_s(table), 1);
}

// Ranks 0 and 1 share a node; thread i is on rank i.
LoadTable three_in_a_row() {
  LoadTable table = table_of({4, 2, 3}, 3);
  table.ranks[1].node = 0;
  for (std::int32_t i = 0; i < 3; ++i) table.threads[static_cast<std::size_t>(i)].rank = i;
  table.first_edge = {0, 1, 2, 2};
  table.edges = {{1, 100, 2}, {2, 10, 1}};
  table.costs = {.steps = 10,
                 .move_s_per_byte = 1e-3,
                 .move_between_s = 0.5,
                 .move_in_node_s = 0.25,
                 .comm_s_per_byte = 0.01,
                 .comm_s_per_message = 0.1};
  return table;
}

TEST(Outcome, CountsMovesAndWhatTheyTake) {
  const LoadTable table = three_in_a_row();
  const Outcome outcome = outcome_of(table, {{1, 2, 2}});
  EXPECT_EQ(outcome.moves, 2u);
  EXPECT_EQ(outcome.moves_between_nodes, 1u);
  EXPECT_EQ(outcome.bytes_between_nodes, 1'000u);
  EXPECT_DOUBLE_EQ(outcome.move_s, 0.25 + 0.5 + 1);  // of rank 1: one comes, one goes
}

TEST(Outcome, CountsMessagesBetweenNodesAtBothEnds) {
  const LoadTable table = three_in_a_row();
  const Outcome outcome = outcome_of(table, plan_to_stay(table));
  EXPECT_EQ(outcome.cut_rank_bytes, 110u);
  EXPECT_EQ(outcome.cut_node_bytes, 10u);
  EXPECT_EQ(outcome.moves, 0u);
  EXPECT_EQ(outcome.move_s, 0);
  EXPECT_DOUBLE_EQ(outcome.step_s, 4);
  // Rank 2 computes 3 and rank 1 6, and each has 10 bytes in one message.
  EXPECT_DOUBLE_EQ(outcome_of(table, {{1, 1, 2}}).step_s, 6 + 0.1 + 0.1);
}

TEST(Outcome, KeepsAPlanOnlyIfItPays) {
  LoadTable table = table_of({1, 1}, 2);
  table.costs = {.steps = 10, .move_s_per_byte = 0, .move_between_s = 9.9};
  const Plan split{{0, 1}};
  EXPECT_EQ(keep_if_it_pays(table, split).rank_of, split.rank_of);
  table.costs.move_between_s = 10;  // as much as it wins
  EXPECT_EQ(keep_if_it_pays(table, split).rank_of, plan_to_stay(table).rank_of);
  table.costs.move_between_s = 0;
  table.costs.steps = 0;
  EXPECT_EQ(keep_if_it_pays(table, split).rank_of, plan_to_stay(table).rank_of);
}

TEST(Outcome, LetsImbalanceGrowForMessagesOnlyAsFarAsItIsTold) {
  LoadTable table = table_of({1, 1, 1, 1}, 2);
  table.threads[2].rank = table.threads[3].rank = 1;
  table.first_edge = {0, 1, 1, 1, 1};
  table.edges = {{2, 1'000, 1}};
  table.costs.comm_s_per_byte = 0.002;
  const Plan together{{0, 0, 0, 1}};  // steps of 3 s in place of 4, 1.5 times the ideal
  EXPECT_EQ(keep_if_it_pays(table, together, 1.5).rank_of, together.rank_of);
  EXPECT_EQ(keep_if_it_pays(table, together, 1.4).rank_of, plan_to_stay(table).rank_of);
  EXPECT_EQ(keep_if_it_pays(table, together).rank_of, plan_to_stay(table).rank_of);
}

}  // namespace
}  // namespace roam::balance
