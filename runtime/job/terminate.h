#ifndef ROAM_RUNTIME_JOB_TERMINATE_H_
#define ROAM_RUNTIME_JOB_TERMINATE_H_

#include <exception>

namespace roam::runtime {

// While one lives, std::terminate ends the job with one message. `collective` tells that every rank
// throws the same: then rank 0 speaks for all, and others only if it does not end the job.
class TerminateHandler {
 public:
  TerminateHandler();
  ~TerminateHandler();
  TerminateHandler(const TerminateHandler&) = delete;
  TerminateHandler& operator=(const TerminateHandler&) = delete;

  static void set_collective(bool collective);

 private:
  std::terminate_handler previous_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_JOB_TERMINATE_H_
