#ifndef ROAM_MPI_IMAGE_PENDING_LINE_H_
#define ROAM_MPI_IMAGE_PENDING_LINE_H_

#include <cstddef>

namespace roam::mpi {

// What a virtual rank has printed of a line to the standard output that it has not ended yet. The
// stream is the process's, and so is its buffer: while others run, this is not in it, so that lines
// stay whole. A longer one than this has room for is printed as it is.
//
// Context: the rank's kernel thread, capture off. Nothing is allocated of the thread's.
class PendingLine {
 public:
  // Another one runs from here on; it was this one's turn.
  void put_aside();
  // It is this one's turn.
  void put_back();
  // What is in the stream's buffer is nobody's any more.
  static void drop();

 private:
  static constexpr std::size_t kMost = 1024;

  std::size_t bytes_ = 0;
  char text_[kMost];
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_PENDING_LINE_H_
