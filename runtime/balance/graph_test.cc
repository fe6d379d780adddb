#include "runtime/balance/graph.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/test_bytes.h"
#include "runtime/balance/test_tables.h"

namespace roam::balance {
namespace {

// Weight of the edge from `a` to `b`; 0 if there is none.
std::int32_t weight_between(const Graph& graph, std::size_t a, std::size_t b) {
  for (std::int32_t e = graph.row[a]; e < graph.row[a + 1]; ++e) {
    const auto edge = static_cast<std::size_t>(e);
    if (graph.neighbour[edge] == static_cast<std::int32_t>(b)) return graph.edge_weight[edge];
  }
  return 0;
}

TEST(Graph, HasEachEdgeAtBothEndsWithoutLoopsAndOnce) {
  std::uint64_t state = test_seed();
  for (int run = 0; run < 100; ++run) {
    const LoadTable table = random_table(&state, {});
    const Graph graph = graph_of(table);
    ASSERT_EQ(graph.size(), table.threads.size());
    for (std::size_t a = 0; a < graph.size(); ++a) {
      ASSERT_GE(graph.weight[a], 1);
      const auto begin = graph.neighbour.begin() + graph.row[a];
      const auto end = graph.neighbour.begin() + graph.row[a + 1];
      ASSERT_TRUE(std::is_sorted(begin, end));
      ASSERT_EQ(std::adjacent_find(begin, end), end);
      ASSERT_EQ(std::find(begin, end, static_cast<std::int32_t>(a)), end);
      for (auto to = begin; to != end; ++to) {
        const auto b = static_cast<std::size_t>(*to);
        ASSERT_GE(weight_between(graph, a, b), 1);
        ASSERT_EQ(weight_between(graph, a, b), weight_between(graph, b, a));
      }
      for (const Edge& edge : table.edges_of(a)) {
        if (edge.to != a) {
          ASSERT_NE(weight_between(graph, a, edge.to), 0);
        }
      }
    }
  }
}

TEST(Graph, IsCutWithTheEdgesInsideEachPart) {
  std::uint64_t state = test_seed();
  const Graph graph = graph_of(random_table(&state, {.most_threads = 200}));
  std::vector<std::int32_t> part;
  for (std::size_t v = 0; v < graph.size(); ++v) {
    part.push_back(static_cast<std::int32_t>(below(&state, 3)));
  }
  const std::vector<Graph> pieces = cut_graph(graph, part, 3);
  std::size_t vertices = 0;
  for (std::size_t k = 0; k < 3; ++k) {
    const Graph& piece = pieces[k];
    vertices += piece.size();
    for (std::size_t a = 0; a < piece.size(); ++a) {
      ASSERT_EQ(part[piece.thread[a]], static_cast<std::int32_t>(k));
      for (std::size_t b = 0; b < piece.size(); ++b) {
        ASSERT_EQ(weight_between(piece, a, b),
                  weight_between(graph, piece.thread[a], piece.thread[b]));
      }
    }
  }
  EXPECT_EQ(vertices, graph.size());
}

// Two cliques of four, joined by one edge.
TEST(Graph, IsCutInTwoAtItsWaist) {
  LoadTable table = table_of(std::vector<double>(8, 1), 2);
  table.first_edge = {0};
  for (std::uint32_t i = 0; i < 8; ++i) {
    for (std::uint32_t j = 0; j < 8; ++j) {
      if (i / 4 == j / 4 || (i == 3 && j == 4)) table.edges.push_back({j, 1'000, 1});
    }
    table.first_edge.push_back(table.edges.size());
  }
  const std::vector<std::int32_t> part = partition(graph_of(table), {1, 1}, 1);
  for (std::size_t v = 0; v < 8; ++v) EXPECT_EQ(part[v], part[v / 4 * 4]);
  EXPECT_NE(part[0], part[4]);
}

TEST(Graph, LeavesTheRandomNumbersOfTheProgramAlone) {
  const Graph graph = graph_of(table_of(std::vector<double>(64, 1), 2));
  for (const unsigned seed : {1u, 2u, 20261127u}) {
    std::srand(seed);
    std::vector<int> drawn(4);
    for (int& number : drawn) number = std::rand();
    std::srand(seed);
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      EXPECT_EQ(std::rand(), drawn[i]) << "seed " << seed << ", number " << i;
      partition(graph, {1, 1}, seed);
    }
  }
}

TEST(Graph, IsNotCutInPartsThatOneVertexFills) {
  const Graph even = graph_of(table_of(std::vector<double>(400, 1), 1));
  EXPECT_TRUE(can_cut(even, 100));
  EXPECT_FALSE(can_cut(even, 101));
  std::vector<double> loads_s(400, 1);
  loads_s[0] = 10;
  EXPECT_FALSE(can_cut(graph_of(table_of(loads_s, 1)), 100));
  EXPECT_TRUE(can_cut(graph_of(table_of(loads_s, 1)), 2));
  EXPECT_FALSE(can_cut(graph_of(table_of({1}, 1)), 2));
}

}  // namespace
}  // namespace roam::balance
