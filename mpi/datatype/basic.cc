#include "mpi/datatype/basic.h"

#include "mpi/datatype/basic_table.h"

namespace roam::mpi {

const Basic* find_basic(MPI_Datatype handle) {
  for (const Basic& b : kBasic) {
    if (b.handle == handle) return &b;
  }
  return nullptr;
}

const Pair* find_pair(MPI_Datatype handle) {
  for (const Pair& p : kPair) {
    if (p.handle == handle) return &p;
  }
  return nullptr;
}

}  // namespace roam::mpi
