#include "runtime/net/library.h"

#include <mpi.h>

namespace roam::runtime {

MpiLibrary mpi_library() {
#ifdef OPEN_MPI
  return MpiLibrary::kOpenMpi;
#else
  return MpiLibrary::kMpich;
#endif
}

const MpiNames& names_of(MpiLibrary library) {
  static constexpr MpiNames kMpich = {"MPICH", "mpiexec.hydra", "mpiexec.hydra -bind-to core"};
  static constexpr MpiNames kOpenMpi = {"Open MPI", "mpiexec.openmpi",
                                        "mpiexec.openmpi --bind-to core"};
  return library == MpiLibrary::kOpenMpi ? kOpenMpi : kMpich;
}

}  // namespace roam::runtime
