#ifndef ROAM_MPI_IMAGE_HIDDEN_STATE_H_
#define ROAM_MPI_IMAGE_HIDDEN_STATE_H_

#include <stdlib.h>

#include <cstdint>

namespace roam::mpi {

// What libc keeps in a process without a way to read it: how far getopt is in its arguments, or
// getpwent in the users. Each call that changes it gives it a mark, by which a virtual rank knows
// its own state again. Marks are random numbers: no two calls give the same one, in whichever
// process, so that a virtual rank that was away does not take an old state for its last one.
class HiddenState {
 public:
  using Mark = std::uint64_t;
  static constexpr Mark kNone = 0;

  // Whether nobody has changed it in this process since it was given `mark`.
  bool is(Mark mark) const { return mark != kNone && mark == mark_; }
  Mark change() {
    arc4random_buf(&mark_, sizeof mark_);
    return mark_;
  }
  void forget() { mark_ = kNone; }

 private:
  Mark mark_ = kNone;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_HIDDEN_STATE_H_
