#ifndef ROAM_RUNTIME_LIFE_FAILURES_H_
#define ROAM_RUNTIME_LIFE_FAILURES_H_

#include <cstddef>
#include <deque>
#include <exception>
#include <string>

#include "threads/tcb.h"

namespace roam::runtime {

// "std::runtime_error: what it says", for messages.
std::string describe_exception(const std::exception_ptr& exception);

// The exceptions with which threads ended on this rank lately, joined or not: whoever waits for
// what such a thread did not do any more, they are the cause.
class Failures {
 public:
  // `t` ended with one.
  void note(const detail::Tcb* t);
  // Says them on stderr.
  void report() const;
  std::size_t count() const { return lines_.size(); }

 private:
  std::deque<std::string> lines_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_LIFE_FAILURES_H_
