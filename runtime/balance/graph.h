#ifndef ROAM_RUNTIME_BALANCE_GRAPH_H_
#define ROAM_RUNTIME_BALANCE_GRAPH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/balance/load_table.h"

namespace roam::balance {

// The messages of a table as METIS wants a graph: undirected, each edge in the rows of both of its
// threads, whole numbers of 32 bits as weights.
struct Graph {
  std::vector<std::int32_t> row;          // first neighbour of each vertex; one more at the end
  std::vector<std::int32_t> neighbour;    // of vertex v: from row[v] up to row[v + 1]
  std::vector<std::int32_t> edge_weight;  // of each neighbour; at least 1
  std::vector<std::int32_t> weight;       // of each vertex; at least 1
  std::vector<std::uint32_t> thread;      // of each vertex: its index in the table

  std::size_t size() const { return weight.size(); }
};

// The whole table. Loads and seconds of messages are scaled so that neither sum leaves 31 bits.
//
// Errors: Errc::bad_option  more than 2^30 edges.
Graph graph_of(const LoadTable& table);

// The graph of those vertices v with part[v] == k, for each k below `parts`.
std::vector<Graph> cut_graph(const Graph& graph, const std::vector<std::int32_t>& part,
                             std::size_t parts);

// Whether METIS can be asked to cut `graph` in that many parts at once. Where parts could be left
// with next to no vertices it fails, and writes to stdout.
bool can_cut(const Graph& graph, std::size_t parts);

// Cuts into parts whose weights are in proportion to `shares`, with few and light edges between
// them. Returns the part of each vertex. REQUIRES: can_cut(graph, shares.size()).
//
// Context: METIS draws from rand(), which it seeds, handles SIGABRT and SIGTERM itself while it
//          runs, and allocates with malloc: one call at a time in a process. The program's own
//          sequence of rand() goes on as if nothing had been drawn.
// Errors:  Errc::out_of_memory  METIS got no memory.
// Source:  Karypis, Kumar 1998, Multilevel k-way partitioning scheme for irregular graphs.
std::vector<std::int32_t> partition(const Graph& graph, const std::vector<double>& shares,
                                    std::uint64_t seed);

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_GRAPH_H_
