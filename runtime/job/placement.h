#ifndef ROAM_RUNTIME_JOB_PLACEMENT_H_
#define ROAM_RUNTIME_JOB_PLACEMENT_H_

#include <string>

#include "base/os/cores.h"

namespace roam::runtime {

// What to tell a user whose ranks share cores for no reason of theirs: `ranks` of one machine may
// together run on `cores` only, fewer than there are ranks and than the machine has
// (`machine_cores`), and this process's environment tells OpenMP to bind. OpenMP binds each process
// of a job alike, before main, and with it all that the process starts. Empty if nothing is wrong,
// or if it cannot be told who bound them: a batch system may have given the job no more.
std::string bound_alike(int ranks, const os::CoreSet& cores, int machine_cores);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_JOB_PLACEMENT_H_
