#ifndef ROAM_MPI_CALLS_ENDING_H_
#define ROAM_MPI_CALLS_ENDING_H_

#include <string>

namespace roam::mpi {

// Says why and ends the whole job with `status`, as mpiexec would on MPI_Abort. Context: a virtual
// rank, or plain code.
[[noreturn]] void end_job(int status, const std::string& why);

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_ENDING_H_
