#include "runtime/net/started.h"

#include <mpi.h>

namespace roam::runtime {

bool mpi_runs() {
  int started = 0, ended = 0;
  return MPI_Initialized(&started) == MPI_SUCCESS && started != 0 &&
         MPI_Finalized(&ended) == MPI_SUCCESS && ended == 0;
}

bool all_ranks(bool mine) {
  const int own = mine ? 1 : 0;
  int all = 0;
  return MPI_Allreduce(&own, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD) == MPI_SUCCESS && all != 0;
}

}  // namespace roam::runtime
