#ifndef ROAM_RUNTIME_JOB_EXITS_H_
#define ROAM_RUNTIME_JOB_EXITS_H_

namespace roam::runtime {

// From now on an exit() of this process while the job runs, from whatever thread, ends the whole
// job with its status and says so: after the handlers and destructors that were registered later.
// MPI's launcher would otherwise kill the others, with a status of its own or, of exit(0), none.
// _exit, _Exit and quick_exit end the process as ever, and say so first.
void watch_exits();

// Whether the end of this process now would be the end of a job that runs: not in a child of fork
// or vfork, and not in the job's end itself. Context: any kernel thread, handlers of signals.
bool ends_the_job();

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_JOB_EXITS_H_
