// Virtual topologies (chapter 7 of the standard). Ranks are never reordered: where virtual ranks
// are is for the balancer.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/text.h"
#include "mpi/calls/call.h"
#include "mpi/calls/collective_frame.h"
#include "mpi/calls/collectives.h"
#include "mpi/calls/communicators.h"

namespace roam::mpi {
namespace {

Topology& topology_of(VirtualRank& me, MPI_Comm handle, int kind) {
  Communicator& c = me.communicator(handle);
  if (c.topology == nullptr || c.topology->kind != kind) {
    throw CallError(MPI_ERR_TOPOLOGY, kind == MPI_CART    ? "the communicator has no Cartesian grid"
                                      : kind == MPI_GRAPH ? "the communicator has no graph"
                                                          : "the communicator has no distributed "
                                                            "graph");
  }
  return *c.topology;
}

// A communicator of the first `size` members of `c`, with a topology.
MPI_Comm with_topology(VirtualRank& me, Communicator& c, int size, Topology topology) {
  check_intra(c);
  if (size > c.size()) {
    throw CallError(MPI_ERR_ARG,
                    text("the topology has %d nodes, the communicator %d", size, c.size()));
  }
  std::vector<int> members;
  for (int i = 0; i < size; ++i) members.push_back(c.group.world_of(i));
  const MPI_Comm made = make_communicator(me, c, new_context(me, c), Group(std::move(members)));
  if (made != MPI_COMM_NULL)
    me.communicator(made).topology = std::make_unique<Topology>(std::move(topology));
  return made;
}

// ---- grids ----

int dims_create(int size, int count, int* dimensions) {
  return call("MPI_Dims_create", MPI_COMM_WORLD, needs(if_any(count, dimensions)),
              [&](VirtualRank&) { fill_dimensions(size, count, dimensions); });
}

Cartesian grid_of(int count, const int* dimensions, const int* periods) {
  if (count < 0) throw CallError(MPI_ERR_ARG, text("the number of dimensions is %d", count));
  check_pointer(if_any(count, dimensions));
  check_pointer(if_any(count, periods));
  Cartesian grid;
  std::int64_t nodes = 1;
  for (int i = 0; i < count; ++i) {
    if (dimensions[i] < 1)
      throw CallError(MPI_ERR_DIMS, text("dimension %d is %d", i, dimensions[i]));
    if ((nodes *= dimensions[i]) > INT32_MAX)
      throw CallError(MPI_ERR_DIMS, text("the grid has %d nodes and more", INT32_MAX));
    grid.dimensions.push_back(dimensions[i]);
    grid.periodic.push_back(periods[i] != 0);
  }
  return grid;
}

int cart_create(MPI_Comm handle, int count, const int* dimensions, const int* periods, int,
                MPI_Comm* made) {
  return call("MPI_Cart_create", handle, needs(made), [&](VirtualRank& me) {
    *made = MPI_COMM_NULL;
    Topology topology;
    topology.kind = MPI_CART;
    topology.grid = grid_of(count, dimensions, periods);
    const int size = topology.grid.size();
    *made = with_topology(me, me.communicator(handle), size, std::move(topology));
  });
}
int cart_map(MPI_Comm handle, int count, const int* dimensions, const int* periods, int* rank) {
  return call("MPI_Cart_map", handle, needs(rank), [&](VirtualRank& me) {
    const Communicator& c = me.communicator(handle);
    const int size = grid_of(count, dimensions, periods).size();
    if (size > c.size())
      throw CallError(MPI_ERR_DIMS,
                      text("the grid has %d nodes, the communicator %d", size, c.size()));
    *rank = c.rank < size ? c.rank : MPI_UNDEFINED;
  });
}
int cartdim_get(MPI_Comm handle, int* count) {
  return call("MPI_Cartdim_get", handle, needs(count),
              [&](VirtualRank& me) { *count = topology_of(me, handle, MPI_CART).grid.count(); });
}
void copy_coordinates(const std::vector<int>& from, int most, int* to) {
  if (most < static_cast<int>(from.size())) {
    throw CallError(MPI_ERR_ARG,
                    text("there is room for %d coordinates, and there are %zu", most, from.size()));
  }
  check_pointer(if_any(static_cast<MPI_Count>(from.size()), to));
  std::copy(from.begin(), from.end(), to);
}
int cart_get(MPI_Comm handle, int most, int* dimensions, int* periods, int* coordinates) {
  return call("MPI_Cart_get", handle, [&](VirtualRank& me) {
    const Cartesian& grid = topology_of(me, handle, MPI_CART).grid;
    copy_coordinates(grid.dimensions, most, dimensions);
    check_pointer(if_any(grid.count(), periods));
    for (int i = 0; i < grid.count(); ++i)
      periods[i] = grid.periodic[static_cast<std::size_t>(i)] ? 1 : 0;
    copy_coordinates(grid.coordinates_of(me.communicator(handle).rank), most, coordinates);
  });
}
int cart_rank(MPI_Comm handle, const int* coordinates, int* rank) {
  return call("MPI_Cart_rank", handle, needs(rank), [&](VirtualRank& me) {
    const Cartesian& grid = topology_of(me, handle, MPI_CART).grid;
    check_pointer(if_any(grid.count(), coordinates));
    *rank = grid.rank_of(std::vector<int>(coordinates, coordinates + grid.count()));
    if (*rank == MPI_PROC_NULL)
      throw CallError(MPI_ERR_ARG, "the coordinates are outside of the grid");
  });
}
int cart_coords(MPI_Comm handle, int rank, int most, int* coordinates) {
  return call("MPI_Cart_coords", handle, [&](VirtualRank& me) {
    const Cartesian& grid = topology_of(me, handle, MPI_CART).grid;
    const int size = grid.size();
    if (rank < 0 || rank >= size)
      throw CallError(MPI_ERR_RANK, text("the rank is %d; the grid has 0 to %d", rank, size - 1));
    copy_coordinates(grid.coordinates_of(rank), most, coordinates);
  });
}
int cart_shift(MPI_Comm handle, int direction, int distance, int* source, int* destination) {
  return call("MPI_Cart_shift", handle, needs(source, destination), [&](VirtualRank& me) {
    const Cartesian& grid = topology_of(me, handle, MPI_CART).grid;
    if (grid.count() == 0) throw CallError(MPI_ERR_TOPOLOGY, "the grid has no dimensions");
    if (direction < 0 || direction >= grid.count()) {
      throw CallError(MPI_ERR_ARG, text("the direction is %d; the grid has %d dimensions",
                                        direction, grid.count()));
    }
    const int rank = me.communicator(handle).rank;
    *source = grid.neighbour(rank, direction, -distance);
    *destination = grid.neighbour(rank, direction, distance);
  });
}
int cart_sub(MPI_Comm handle, const int* remain, MPI_Comm* made) {
  return call("MPI_Cart_sub", handle, needs(made), [&](VirtualRank& me) {
    *made = MPI_COMM_NULL;
    const Cartesian grid = topology_of(me, handle, MPI_CART).grid;
    Communicator& c = me.communicator(handle);
    check_pointer(if_any(grid.count(), remain));
    const std::vector<int> coordinates = grid.coordinates_of(c.rank);
    Topology topology;
    topology.kind = MPI_CART;
    int color = 0, key = 0;
    for (int i = 0; i < grid.count(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      int& place = remain[i] != 0 ? key : color;
      place = place * grid.dimensions[at] + coordinates[at];
      if (remain[i] == 0) continue;
      topology.grid.dimensions.push_back(grid.dimensions[at]);
      topology.grid.periodic.push_back(grid.periodic[at]);
    }
    // Without dimensions there is one member, the first.
    if (topology.grid.dimensions.empty()) color = c.rank == 0 ? 0 : MPI_UNDEFINED;
    *made = split_communicator(me, c, color, key);
    if (*made == MPI_COMM_NULL) return;
    me.communicator(*made).topology = std::make_unique<Topology>(std::move(topology));
  });
}

// ---- graphs ----

Graph graph_of(int size, const int* index, const int* edges) {
  if (size < 0) throw CallError(MPI_ERR_ARG, text("the number of nodes is %d", size));
  check_pointer(if_any(size, index));
  Graph graph;
  for (int i = 0; i < size; ++i) {
    if (index[i] < (i == 0 ? 0 : index[i - 1]))
      throw CallError(MPI_ERR_ARG, text("index[%d] is %d, below the one before it", i, index[i]));
    graph.index.push_back(index[i]);
  }
  const int count = size == 0 ? 0 : index[size - 1];
  check_pointer(if_any(count, edges));
  for (int i = 0; i < count; ++i) {
    if (edges[i] < 0 || edges[i] >= size)
      throw CallError(MPI_ERR_ARG,
                      text("edges[%d] is %d; the graph has 0 to %d", i, edges[i], size - 1));
    graph.edges.push_back(edges[i]);
  }
  return graph;
}
int graph_create(MPI_Comm handle, int size, const int* index, const int* edges, int,
                 MPI_Comm* made) {
  return call("MPI_Graph_create", handle, needs(made), [&](VirtualRank& me) {
    *made = MPI_COMM_NULL;
    Topology topology;
    topology.kind = MPI_GRAPH;
    topology.graph = graph_of(size, index, edges);
    *made = with_topology(me, me.communicator(handle), size, std::move(topology));
  });
}
int graph_map(MPI_Comm handle, int size, const int* index, const int* edges, int* rank) {
  return call("MPI_Graph_map", handle, needs(rank), [&](VirtualRank& me) {
    const Communicator& c = me.communicator(handle);
    graph_of(size, index, edges);
    if (size > c.size())
      throw CallError(MPI_ERR_ARG,
                      text("the graph has %d nodes, the communicator %d", size, c.size()));
    *rank = c.rank < size ? c.rank : MPI_UNDEFINED;
  });
}
int graphdims_get(MPI_Comm handle, int* nodes, int* edges) {
  return call("MPI_Graphdims_get", handle, needs(nodes, edges), [&](VirtualRank& me) {
    const Graph& graph = topology_of(me, handle, MPI_GRAPH).graph;
    *nodes = static_cast<int>(graph.index.size());
    *edges = static_cast<int>(graph.edges.size());
  });
}
int graph_get(MPI_Comm handle, int most_nodes, int most_edges, int* index, int* edges) {
  return call("MPI_Graph_get", handle, [&](VirtualRank& me) {
    const Graph& graph = topology_of(me, handle, MPI_GRAPH).graph;
    copy_coordinates(graph.index, most_nodes, index);
    copy_coordinates(graph.edges, most_edges, edges);
  });
}
const Graph& checked_graph(VirtualRank& me, MPI_Comm handle, int rank) {
  const Graph& graph = topology_of(me, handle, MPI_GRAPH).graph;
  const int size = static_cast<int>(graph.index.size());
  if (rank < 0 || rank >= size)
    throw CallError(MPI_ERR_RANK, text("the rank is %d; the graph has 0 to %d", rank, size - 1));
  return graph;
}
int graph_neighbors_count(MPI_Comm handle, int rank, int* count) {
  return call("MPI_Graph_neighbors_count", handle, needs(count), [&](VirtualRank& me) {
    *count = static_cast<int>(checked_graph(me, handle, rank).neighbours_of(rank).size());
  });
}
int graph_neighbors(MPI_Comm handle, int rank, int most, int* neighbours) {
  return call("MPI_Graph_neighbors", handle, [&](VirtualRank& me) {
    copy_coordinates(checked_graph(me, handle, rank).neighbours_of(rank), most, neighbours);
  });
}

// ---- distributed graphs ----

bool unweighted(const int* weights) { return weights == MPI_UNWEIGHTED; }

// The constants are no weights.
void check_weights(const int* weights, int count) {
  if (count > 0 && (weights == nullptr || weights == MPI_WEIGHTS_EMPTY)) {
    throw CallError(MPI_ERR_ARG, text("the weights of %d edges are %s", count,
                                      weights == nullptr ? "a null pointer" : "MPI_WEIGHTS_EMPTY"));
  }
}

void check_edges(const Communicator& c, int count, const int* ranks) {
  if (count < 0) throw CallError(MPI_ERR_ARG, text("the number of edges is %d", count));
  check_pointer(if_any(count, ranks));
  for (int i = 0; i < count; ++i) {
    if (ranks[i] < 0 || ranks[i] >= c.size()) {
      throw CallError(MPI_ERR_RANK, text("edge %d is with rank %d; the communicator has 0 to %d", i,
                                         ranks[i], c.size() - 1));
    }
  }
}
std::vector<int> copied(const int* from, int count, bool wanted) {
  return wanted && count > 0 ? std::vector<int>(from, from + count) : std::vector<int>();
}

int dist_graph_create_adjacent(MPI_Comm handle, int in_count, const int* sources,
                               const int* source_weights, int out_count, const int* destinations,
                               const int* destination_weights, MPI_Info info, int, MPI_Comm* made) {
  return call("MPI_Dist_graph_create_adjacent", handle, needs(made), [&](VirtualRank& me) {
    *made = MPI_COMM_NULL;
    Communicator& c = me.communicator(handle);
    check_intra(c);
    me.info_or_none(info);
    check_edges(c, in_count, sources);
    check_edges(c, out_count, destinations);
    check_weights(source_weights, in_count);
    check_weights(destination_weights, out_count);
    if (unweighted(source_weights) != unweighted(destination_weights))
      throw CallError(MPI_ERR_ARG, "MPI_UNWEIGHTED is given for one of the two");
    Topology topology;
    topology.kind = MPI_DIST_GRAPH;
    DistributedGraph& g = topology.distributed;
    g.weighted = !unweighted(source_weights);
    g.sources = copied(sources, in_count, true);
    g.destinations = copied(destinations, out_count, true);
    g.source_weights = copied(source_weights, in_count, g.weighted);
    g.destination_weights = copied(destination_weights, out_count, g.weighted);
    *made = with_topology(me, c, c.size(), std::move(topology));
  });
}

// Each edge is told to both of its ends: everybody tells everybody how many, and which.
int dist_graph_create(MPI_Comm handle, int count, const int* nodes, const int* degrees,
                      const int* destinations, const int* weights, MPI_Info info, int,
                      MPI_Comm* made) {
  return call("MPI_Dist_graph_create", handle, needs(made), [&](VirtualRank& me) {
    *made = MPI_COMM_NULL;
    Communicator& c = me.communicator(handle);
    check_intra(c);
    me.info_or_none(info);
    check_edges(c, count, nodes);
    check_pointer(if_any(count, degrees));
    struct Edge {
      int from, to, weight, weighted;
    };
    std::vector<std::vector<Edge>> out(static_cast<std::size_t>(c.size()));
    int next = 0;
    const bool weighted = !unweighted(weights);
    for (int i = 0; i < count; ++i) {
      check_edges(c, degrees[i], destinations == nullptr ? nullptr : destinations + next);
      check_weights(weights, degrees[i]);
      for (int k = 0; k < degrees[i]; ++k, ++next) {
        const Edge edge{nodes[i], destinations[next], weighted ? weights[next] : 0,
                        weighted ? 1 : 0};
        out[static_cast<std::size_t>(edge.from)].push_back(edge);
        if (edge.to != edge.from) out[static_cast<std::size_t>(edge.to)].push_back(edge);
      }
    }
    const std::vector<std::vector<char>> in = exchange_bytes(me, c, [&](int rank) {
      const std::vector<Edge>& edges = out[static_cast<std::size_t>(rank)];
      return Bytes{reinterpret_cast<char*>(const_cast<Edge*>(edges.data())),
                   edges.size() * sizeof(Edge)};
    });
    Topology topology;
    topology.kind = MPI_DIST_GRAPH;
    DistributedGraph& g = topology.distributed;
    for (const std::vector<char>& bytes : in) {
      const auto* edges = reinterpret_cast<const Edge*>(bytes.data());
      for (std::size_t i = 0; i < bytes.size() / sizeof(Edge); ++i) {
        g.weighted = g.weighted || edges[i].weighted != 0;
        if (edges[i].to == c.rank) {
          g.sources.push_back(edges[i].from);
          g.source_weights.push_back(edges[i].weight);
        }
        if (edges[i].from == c.rank) {
          g.destinations.push_back(edges[i].to);
          g.destination_weights.push_back(edges[i].weight);
        }
      }
    }
    if (!g.weighted) g.weighted = weighted;
    *made = with_topology(me, c, c.size(), std::move(topology));
  });
}

int dist_graph_neighbors_count(MPI_Comm handle, int* in_count, int* out_count, int* weighted) {
  return call("MPI_Dist_graph_neighbors_count", handle, needs(in_count, out_count, weighted),
              [&](VirtualRank& me) {
                const DistributedGraph& g = topology_of(me, handle, MPI_DIST_GRAPH).distributed;
                *in_count = static_cast<int>(g.sources.size());
                *out_count = static_cast<int>(g.destinations.size());
                *weighted = g.weighted ? 1 : 0;
              });
}
void copy_some(const std::vector<int>& from, int most, int* to) {
  const auto count = std::min(from.size(), static_cast<std::size_t>(most));
  check_pointer(if_any(static_cast<MPI_Count>(count), to));
  std::copy_n(from.begin(), count, to);
}
int dist_graph_neighbors(MPI_Comm handle, int most_in, int* sources, int* source_weights,
                         int most_out, int* destinations, int* destination_weights) {
  return call("MPI_Dist_graph_neighbors", handle, [&](VirtualRank& me) {
    const DistributedGraph& g = topology_of(me, handle, MPI_DIST_GRAPH).distributed;
    if (most_in < 0 || most_out < 0) {
      throw CallError(MPI_ERR_ARG,
                      text("there is room for %d sources and %d destinations", most_in, most_out));
    }
    copy_some(g.sources, most_in, sources);
    copy_some(g.destinations, most_out, destinations);
    if (!g.weighted) return;
    if (!unweighted(source_weights)) copy_some(g.source_weights, most_in, source_weights);
    if (!unweighted(destination_weights))
      copy_some(g.destination_weights, most_out, destination_weights);
  });
}

int topo_test(MPI_Comm handle, int* kind) {
  return call("MPI_Topo_test", handle, needs(kind), [&](VirtualRank& me) {
    const Communicator& c = me.communicator(handle);
    *kind = c.topology == nullptr ? MPI_UNDEFINED : c.topology->kind;
  });
}

}  // namespace

void add_topology_calls() {
  add_call("MPI_Dims_create", &dims_create);
  add_call("MPI_Cart_create", &cart_create);
  add_call("MPI_Cart_map", &cart_map);
  add_call("MPI_Cartdim_get", &cartdim_get);
  add_call("MPI_Cart_get", &cart_get);
  add_call("MPI_Cart_rank", &cart_rank);
  add_call("MPI_Cart_coords", &cart_coords);
  add_call("MPI_Cart_shift", &cart_shift);
  add_call("MPI_Cart_sub", &cart_sub);
  add_call("MPI_Graph_create", &graph_create);
  add_call("MPI_Graph_map", &graph_map);
  add_call("MPI_Graphdims_get", &graphdims_get);
  add_call("MPI_Graph_get", &graph_get);
  add_call("MPI_Graph_neighbors_count", &graph_neighbors_count);
  add_call("MPI_Graph_neighbors", &graph_neighbors);
  add_call("MPI_Dist_graph_create_adjacent", &dist_graph_create_adjacent);
  add_call("MPI_Dist_graph_create", &dist_graph_create);
  add_call("MPI_Dist_graph_neighbors_count", &dist_graph_neighbors_count);
  add_call("MPI_Dist_graph_neighbors", &dist_graph_neighbors);
  add_call("MPI_Topo_test", &topo_test);
}

}  // namespace roam::mpi
