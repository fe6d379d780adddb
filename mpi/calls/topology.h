#ifndef ROAM_MPI_CALLS_TOPOLOGY_H_
#define ROAM_MPI_CALLS_TOPOLOGY_H_

#include <mpi.h>

#include <vector>

#include "mpi/calls/cartesian.h"

namespace roam::mpi {

// MPI_Graph_create: the neighbours of rank i are edges[index[i - 1]] to edges[index[i] - 1].
struct Graph {
  std::vector<int> index, edges;

  std::vector<int> neighbours_of(int rank) const {
    const auto at = static_cast<std::size_t>(rank);
    const int begin = rank == 0 ? 0 : index[at - 1];
    return {edges.begin() + begin, edges.begin() + index[at]};
  }
};

// What a member knows of a distributed graph: its own edges.
struct DistributedGraph {
  std::vector<int> sources, destinations;
  std::vector<int> source_weights, destination_weights;
  bool weighted = false;
};

// Of a communicator: MPI_CART, MPI_GRAPH, MPI_DIST_GRAPH, or MPI_UNDEFINED.
struct Topology {
  int kind = MPI_UNDEFINED;
  Cartesian grid;
  Graph graph;
  DistributedGraph distributed;

  // Whom a member receives from and sends to in collectives of neighbours, in their order.
  // MPI_PROC_NULL: nobody, at the border of a grid.
  std::vector<int> sources_of(int rank) const;
  std::vector<int> destinations_of(int rank) const;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_TOPOLOGY_H_
