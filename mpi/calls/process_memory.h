#ifndef ROAM_MPI_CALLS_PROCESS_MEMORY_H_
#define ROAM_MPI_CALLS_PROCESS_MEMORY_H_

namespace roam::mpi {

// Whether an address is of what virtual ranks of this process have in common, or each only while it
// runs: code and variables of its libraries, thread_local variables of these and of programs.
// Context: a virtual rank.
bool is_of_process(const void* address);

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_PROCESS_MEMORY_H_
