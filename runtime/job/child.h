#ifndef ROAM_RUNTIME_JOB_CHILD_H_
#define ROAM_RUNTIME_JOB_CHILD_H_

namespace roam::runtime {

// From now on a process that fork makes takes no part in the job: however it ends, MPI is not
// called, and the job does not hear of it. The thread that called fork ends that process when its
// function returns, as main would.
void watch_forks();

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_JOB_CHILD_H_
