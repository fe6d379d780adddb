#include "mpi/calls/cartesian.h"

#include <mpi.h>

#include <algorithm>
#include <functional>

#include "base/text.h"
#include "mpi/calls/call_error.h"

namespace roam::mpi {

int Cartesian::size() const {
  int all = 1;
  for (const int n : dimensions) all *= n;
  return all;
}

std::vector<int> Cartesian::coordinates_of(int rank) const {
  std::vector<int> coordinates(dimensions.size());
  for (std::size_t i = dimensions.size(); i-- != 0; rank /= dimensions[i])
    coordinates[i] = rank % dimensions[i];
  return coordinates;
}

int Cartesian::rank_of(std::vector<int> coordinates) const {
  int rank = 0;
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    const int n = dimensions[i];
    int& at = coordinates[i];
    if (periodic[i]) at = (at % n + n) % n;
    if (at < 0 || at >= n) return MPI_PROC_NULL;
    rank = rank * n + at;
  }
  return rank;
}

int Cartesian::neighbour(int rank, int dimension, int distance) const {
  std::vector<int> coordinates = coordinates_of(rank);
  coordinates[static_cast<std::size_t>(dimension)] += distance;
  return rank_of(std::move(coordinates));
}

namespace {

// The largest divisor of `n` that is not above its root of that degree.
int divisor_below_root(int n, int degree) {
  int found = 1;
  for (int d = 2; d <= n; ++d) {
    long reach = 1;
    for (int i = 0; i < degree && reach <= n; ++i) reach *= d;
    if (reach > n) break;
    if (n % d == 0) found = d;
  }
  return found;
}

// `count` factors of `n`, largest first.
std::vector<int> factors_of(int n, int count) {
  std::vector<int> factors;
  for (; count > 1; --count) {
    factors.push_back(divisor_below_root(n, count));
    n /= factors.back();
  }
  factors.push_back(n);
  std::sort(factors.begin(), factors.end(), std::greater<>());
  return factors;
}

}  // namespace

void fill_dimensions(int size, int count, int* dimensions) {
  if (size < 1) throw CallError(MPI_ERR_ARG, text("the number of nodes is %d", size));
  if (count < 0) throw CallError(MPI_ERR_DIMS, text("the number of dimensions is %d", count));
  if (count == 0) return;
  int rest = size, open = 0;
  for (int i = 0; i < count; ++i) {
    if (dimensions[i] < 0)
      throw CallError(MPI_ERR_DIMS, text("dimension %d is %d", i, dimensions[i]));
    if (dimensions[i] == 0) {
      ++open;
    } else if (rest % dimensions[i] != 0) {
      throw CallError(MPI_ERR_DIMS,
                      text("%d nodes are no whole number of times the dimensions that "
                           "are given",
                           size));
    } else {
      rest /= dimensions[i];
    }
  }
  if (open == 0) {
    if (rest != 1)
      throw CallError(MPI_ERR_DIMS,
                      text("the dimensions are all given, and have not %d nodes", size));
    return;
  }
  const std::vector<int> factors = factors_of(rest, open);
  for (int i = 0, next = 0; i < count; ++i) {
    if (dimensions[i] == 0) dimensions[i] = factors[static_cast<std::size_t>(next++)];
  }
}

}  // namespace roam::mpi
