#include "runtime/balance/graph.h"

#include <metis.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "base/check.h"
#include "base/text.h"
#include "roam/error.h"

namespace roam::balance {
namespace {

static_assert(sizeof(idx_t) == sizeof(std::int32_t), "this METIS has 64-bit indices");

constexpr double kMostWeight = 1 << 30;  // of all together, so that METIS can add them up
constexpr std::size_t kMostEdges = std::size_t{1} << 30;
constexpr std::size_t kLeastVertices = 4;  // of a part, in the mean, where there are more than two
constexpr idx_t kUnbalance = 10;           // thousandths that a part may be above its share

// METIS seeds rand(). While one of these lives the program's own sequence stands by, and goes on
// afterwards where it was.
class OwnRandomNumbers {
 public:
  OwnRandomNumbers() : programs_(initstate(1, state_, sizeof state_)) {}
  ~OwnRandomNumbers() { setstate(programs_); }
  OwnRandomNumbers(const OwnRandomNumbers&) = delete;
  OwnRandomNumbers& operator=(const OwnRandomNumbers&) = delete;

 private:
  char state_[128];
  char* programs_;
};

// An edge as one of its ends sees it.
struct Half {
  std::uint32_t to;
  double comm_s;
};

// Every edge at both of its ends: those of thread i from first[i] up to first[i + 1], by `to`.
struct Halves {
  std::vector<std::size_t> first;
  std::vector<Half> all;
};

template <class Use>
void for_each_edge(const LoadTable& table, Use use) {
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    for (const Edge& edge : table.edges_of(i)) {
      if (edge.to != i) use(static_cast<std::uint32_t>(i), edge);
    }
  }
}

Halves halves_of(const LoadTable& table) {
  Halves halves;
  halves.first.resize(table.threads.size() + 1);
  for_each_edge(table, [&](std::uint32_t from, const Edge& edge) {
    ++halves.first[from + 1];
    ++halves.first[edge.to + 1];
  });
  std::partial_sum(halves.first.begin(), halves.first.end(), halves.first.begin());
  halves.all.resize(halves.first.back());
  std::vector<std::size_t> end(halves.first);
  for_each_edge(table, [&](std::uint32_t from, const Edge& edge) {
    halves.all[end[from]++] = {edge.to, table.costs.comm_s(edge)};
    halves.all[end[edge.to]++] = {from, table.costs.comm_s(edge)};
  });
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    // Stable: sums come out alike at both ends.
    std::stable_sort(halves.all.begin() + static_cast<std::ptrdiff_t>(halves.first[i]),
                     halves.all.begin() + static_cast<std::ptrdiff_t>(halves.first[i + 1]),
                     [](const Half& a, const Half& b) { return a.to < b.to; });
  }
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
  const Halves halves = halves_of(table);
  double load_s = 0, comm_s = 0;
  for (const ThreadLoad& thread : table.threads) load_s += thread.load_s;
  for (const Half& half : halves.all) comm_s += half.comm_s;

  const double edge_scale = comm_s > 0 ? kMostWeight / comm_s : 0;
  graph.row.push_back(0);
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    for (std::size_t h = halves.first[i]; h < halves.first[i + 1];) {
      const std::uint32_t to = halves.all[h].to;
      double sum_s = 0;
      for (; h < halves.first[i + 1] && halves.all[h].to == to; ++h) sum_s += halves.all[h].comm_s;
      graph.neighbour.push_back(static_cast<std::int32_t>(to));
      graph.edge_weight.push_back(scaled(sum_s, edge_scale));
    }
    graph.row.push_back(static_cast<std::int32_t>(graph.neighbour.size()));
  }

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

bool can_cut(const Graph& graph, std::size_t parts) {
  if (graph.size() < parts) return false;
  if (parts <= 2) return true;
  if (graph.size() < kLeastVertices * parts) return false;
  // A part must not be full with one vertex.
  double sum = 0, heaviest = 0;
  for (const std::int32_t weight : graph.weight) {
    sum += weight;
    heaviest = std::max<double>(heaviest, weight);
  }
  return 2 * heaviest <= sum / static_cast<double>(parts);
}

std::vector<std::int32_t> partition(const Graph& graph, const std::vector<double>& shares,
                                    std::uint64_t seed) {
  std::vector<std::int32_t> part(graph.size());
  if (shares.size() < 2 || graph.size() == 0) return part;
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  std::vector<real_t> targets;
  targets.reserve(shares.size());
  for (const double share : shares) targets.push_back(static_cast<real_t>(share / sum));

  idx_t options[METIS_NOPTIONS];
  METIS_SetDefaultOptions(options);
  options[METIS_OPTION_SEED] = static_cast<idx_t>(seed & 0x7fffffff);
  options[METIS_OPTION_UFACTOR] = kUnbalance;
  const auto cut_in = shares.size() <= 2 ? METIS_PartGraphRecursive : METIS_PartGraphKway;
  auto vertices = static_cast<idx_t>(graph.size()), parts = static_cast<idx_t>(shares.size());
  idx_t constraints = 1, cut = 0;
  // METIS does not write into the graph, but does not say so either.
  const auto array = [](const std::vector<std::int32_t>& values) {
    return const_cast<idx_t*>(values.data());
  };
  const OwnRandomNumbers metis_draws_these;
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
