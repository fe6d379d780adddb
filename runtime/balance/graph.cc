#include "runtime/balance/graph.h"

#include <metis.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "roam/error.h"

namespace roam::balance {
namespace {

static_assert(sizeof(idx_t) == sizeof(std::int32_t), "this METIS has 64-bit indices");

constexpr double kMostWeight = 1 << 30;  // of all together, so that METIS can add them up
constexpr std::size_t kMostEdges = std::size_t{1} << 30;
// METIS cuts in two at a time up to here: it takes longer and cuts less.
constexpr std::size_t kFewParts = 8;
constexpr idx_t kUnbalance = 10;  // thousandths that a part may be above its share

// One direction of an edge.
struct Half {
  std::uint32_t from, to;
  double comm_s;
};

// Every edge from both of its ends, by `from` and `to`.
std::vector<Half> halves_of(const LoadTable& table) {
  std::vector<Half> halves;
  halves.reserve(2 * table.edges.size());
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    const auto from = static_cast<std::uint32_t>(i);
    for (const Edge& edge : table.edges_of(i)) {
      if (edge.to == from) continue;
      halves.push_back({from, edge.to, table.costs.comm_s(edge)});
      halves.push_back({edge.to, from, table.costs.comm_s(edge)});
    }
  }
  // Stable: sums come out alike in both directions.
  std::stable_sort(halves.begin(), halves.end(), [](const Half& a, const Half& b) {
    return std::pair(a.from, a.to) < std::pair(b.from, b.to);
  });
  return halves;
}

std::int32_t scaled(double value, double scale) {
  return std::max(1, static_cast<std::int32_t>(value * scale));
}

}  // namespace

Graph graph_of(const LoadTable& table) {
  if (table.edges.size() > kMostEdges) {
    throw Error(Errc::bad_option,
                text("load table: %zu edges, more than METIS takes", table.edges.size()));
  }
  Graph graph;
  const std::vector<Half> halves = halves_of(table);
  double load_s = 0, comm_s = 0;
  for (const ThreadLoad& thread : table.threads) load_s += thread.load_s;
  for (const Half& half : halves) comm_s += half.comm_s;

  const double edge_scale = comm_s > 0 ? kMostWeight / comm_s : 0;
  graph.row.assign(table.threads.size() + 1, 0);
  for (std::size_t h = 0; h < halves.size();) {
    const Half& first = halves[h];
    double sum_s = 0;
    for (; h < halves.size() && halves[h].from == first.from && halves[h].to == first.to; ++h) {
      sum_s += halves[h].comm_s;
    }
    graph.neighbour.push_back(static_cast<std::int32_t>(first.to));
    graph.edge_weight.push_back(scaled(sum_s, edge_scale));
    ++graph.row[first.from + 1];
  }
  std::partial_sum(graph.row.begin(), graph.row.end(), graph.row.begin());

  const double load_scale = load_s > 0 ? kMostWeight / load_s : 0;
  for (const ThreadLoad& thread : table.threads) {
    graph.weight.push_back(scaled(thread.load_s, load_scale));
  }
  graph.thread.resize(table.threads.size());
  std::iota(graph.thread.begin(), graph.thread.end(), 0);
  return graph;
}

std::vector<Graph> cut_graph(const Graph& graph, const std::vector<std::int32_t>& part,
                             std::size_t parts) {
  std::vector<Graph> result(parts);
  for (Graph& piece : result) piece.row.push_back(0);
  std::vector<std::int32_t> number(graph.size());  // of each vertex in its piece
  for (std::size_t v = 0; v < graph.size(); ++v) {
    Graph& piece = result[static_cast<std::size_t>(part[v])];
    number[v] = static_cast<std::int32_t>(piece.size());
    piece.weight.push_back(graph.weight[v]);
    piece.thread.push_back(graph.thread[v]);
  }
  for (std::size_t v = 0; v < graph.size(); ++v) {
    Graph& piece = result[static_cast<std::size_t>(part[v])];
    for (std::int32_t e = graph.row[v]; e < graph.row[v + 1]; ++e) {
      const auto edge = static_cast<std::size_t>(e);
      const auto to = static_cast<std::size_t>(graph.neighbour[edge]);
      if (part[to] != part[v]) continue;
      piece.neighbour.push_back(number[to]);
      piece.edge_weight.push_back(graph.edge_weight[edge]);
    }
    piece.row.push_back(static_cast<std::int32_t>(piece.neighbour.size()));
  }
  return result;
}

std::vector<std::int32_t> partition(const Graph& graph, const std::vector<double>& shares,
                                    std::uint64_t seed) {
  std::vector<std::int32_t> part(graph.size());
  if (shares.size() < 2 || graph.size() == 0) return part;
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  std::vector<real_t> targets;
  for (const double share : shares) targets.push_back(static_cast<real_t>(share / sum));

  idx_t options[METIS_NOPTIONS];
  METIS_SetDefaultOptions(options);
  options[METIS_OPTION_SEED] = static_cast<idx_t>(seed & 0x7fffffff);
  options[METIS_OPTION_UFACTOR] = kUnbalance;
  const auto cut_in = shares.size() <= kFewParts ? METIS_PartGraphRecursive : METIS_PartGraphKway;
  auto vertices = static_cast<idx_t>(graph.size()), parts = static_cast<idx_t>(shares.size());
  idx_t constraints = 1, cut = 0;
  // METIS does not write into the graph, but does not say so either.
  const auto array = [](const std::vector<std::int32_t>& values) {
    return const_cast<idx_t*>(values.data());
  };
  const int status = cut_in(&vertices, &constraints, array(graph.row), array(graph.neighbour),
                            array(graph.weight), nullptr, array(graph.edge_weight), &parts,
                            targets.data(), nullptr, options, &cut, part.data());
  if (status == METIS_ERROR_MEMORY) {
    throw Error(Errc::out_of_memory, text("METIS has no memory to cut %zu threads", graph.size()));
  }
  ROAM_CHECK(status == METIS_OK, "METIS refuses %zu threads in %zu parts: status %d", graph.size(),
             shares.size(), status);
  return part;
}

}  // namespace roam::balance
