#ifndef ROAM_RUNTIME_NET_STARTED_H_
#define ROAM_RUNTIME_NET_STARTED_H_

namespace roam::runtime {

// Whether the program, or an earlier run, has started MPI in this process, and it has not ended.
bool mpi_runs();
// Starts it, unless it runs; whether it did. Errors: Error(not_running): it has ended.
bool start_mpi(int* argc, char*** argv);
// Collective, while it runs: whether all ranks of MPI_COMM_WORLD say so.
bool all_ranks(bool mine);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_NET_STARTED_H_
