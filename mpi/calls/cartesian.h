#ifndef ROAM_MPI_CALLS_CARTESIAN_H_
#define ROAM_MPI_CALLS_CARTESIAN_H_

#include <vector>

namespace roam::mpi {

// A grid of processes, row-major: the last coordinate changes fastest.
struct Cartesian {
  std::vector<int> dimensions;
  std::vector<bool> periodic;

  int count() const { return static_cast<int>(dimensions.size()); }
  int size() const;
  std::vector<int> coordinates_of(int rank) const;
  // MPI_PROC_NULL: outside of the grid, in a dimension that is not periodic.
  int rank_of(std::vector<int> coordinates) const;
  // The rank so far along a dimension.
  int neighbour(int rank, int dimension, int distance) const;
};

// Fills the dimensions that are 0 so that their product is `size`, as near to each other as can be,
// larger ones first (MPI_Dims_create). CallError(MPI_ERR_DIMS): it cannot be.
void fill_dimensions(int size, int count, int* dimensions);

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_CARTESIAN_H_
