#include "runtime/net/started.h"

#include <mpi.h>

namespace roam::runtime {

bool mpi_started() {
  int started = 0;
  return MPI_Initialized(&started) == MPI_SUCCESS && started != 0;
}

}  // namespace roam::runtime
