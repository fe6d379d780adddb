#ifndef ROAM_RUNTIME_ESCAPED_H_
#define ROAM_RUNTIME_ESCAPED_H_

#include <exception>
#include <string>

namespace roam::runtime {

// "std::runtime_error: what it says", for messages.
std::string describe(const std::exception_ptr& exception);

// While one lives, std::terminate ends the job with one message. `collective` tells that every rank
// throws the same: then rank 0 speaks for all.
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

#endif  // ROAM_RUNTIME_ESCAPED_H_
