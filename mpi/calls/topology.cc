#include "mpi/calls/topology.h"

namespace roam::mpi {

std::vector<int> Topology::sources_of(int rank) const {
  if (kind == MPI_GRAPH) return graph.neighbours_of(rank);
  if (kind == MPI_DIST_GRAPH) return distributed.sources;
  std::vector<int> neighbours;
  for (int i = 0; kind == MPI_CART && i < grid.count(); ++i) {
    neighbours.push_back(grid.neighbour(rank, i, -1));
    neighbours.push_back(grid.neighbour(rank, i, +1));
  }
  return neighbours;
}

std::vector<int> Topology::destinations_of(int rank) const {
  return kind == MPI_DIST_GRAPH ? distributed.destinations : sources_of(rank);
}

}  // namespace roam::mpi
