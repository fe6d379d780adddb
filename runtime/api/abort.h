#ifndef ROAM_RUNTIME_API_ABORT_H_
#define ROAM_RUNTIME_API_ABORT_H_

namespace roam::runtime {

// Ends all ranks of the job, which run, with `status`. Nothing is cleaned up. Context: threads and
// plain code of the rank's kernel thread.
[[noreturn]] void abort_job(int status);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_API_ABORT_H_
