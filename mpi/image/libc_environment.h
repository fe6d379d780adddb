#ifndef ROAM_MPI_IMAGE_LIBC_ENVIRONMENT_H_
#define ROAM_MPI_IMAGE_LIBC_ENVIRONMENT_H_

namespace roam::mpi {

// While it lives, libc goes by `list` as its environment: for a call that reads it itself, or gives
// it on to a program. If the call lets others run, they have theirs in turn. The process's own is
// back when the call has ended.
//
// Context: the virtual rank's thread.
class LibcEnvironment {
 public:
  explicit LibcEnvironment(char** list);
  ~LibcEnvironment();
  LibcEnvironment(const LibcEnvironment&) = delete;
  LibcEnvironment& operator=(const LibcEnvironment&) = delete;

  // The process's own is back, if calls of the running virtual rank were left for good.
  static void restore();

 private:
  char** before_;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_LIBC_ENVIRONMENT_H_
