#ifndef ROAM_RUNTIME_JOB_LAUNCHER_H_
#define ROAM_RUNTIME_JOB_LAUNCHER_H_

#include <string>

#include "runtime/net/library.h"

namespace roam::runtime {

// How this process was started, as its environment tells. Each launcher says there how many
// processes it started and which one this is; only one that MPI understands makes a job of them.

// Why MPI's job of `ranks` ranks is not what the launcher started: one rank where there should be
// more, each process a job of its own. Empty if nothing is wrong.
std::string wrong_launcher(int ranks, MpiLibrary mpi = mpi_library());

// Whether this process is the one that speaks where all have the same to say: the first of those
// that were started together. Known before MPI is up.
bool speaks_for_all(MpiLibrary mpi = mpi_library());

// Has MPICH's launcher, if it is that, end the job with `status`, as MPI_Abort would, which must
// not be called in the midst of MPI: at once, or when this process is gone. Not every release of it
// takes a rank that ended by a signal or by _exit for a failure: mpiexec.hydra 4.2 ends with 0
// then, now and again. find_launcher, before it, looks whether it is that.
//
// Context: tell_launcher may be called in a signal handler.
void find_launcher();
void tell_launcher(int status, bool once_gone);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_JOB_LAUNCHER_H_
