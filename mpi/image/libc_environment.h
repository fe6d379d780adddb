#ifndef ROAM_MPI_IMAGE_LIBC_ENVIRONMENT_H_
#define ROAM_MPI_IMAGE_LIBC_ENVIRONMENT_H_

namespace roam::mpi {

// While it lives, libc goes by `list` as its environment: for a call that reads it itself, or gives
// it on to a program. If the call lets others run, they have theirs in turn, and the process's own
// is back when the last of these calls has ended.
class LibcEnvironment {
 public:
  explicit LibcEnvironment(char** list);
  ~LibcEnvironment();
  LibcEnvironment(const LibcEnvironment&) = delete;
  LibcEnvironment& operator=(const LibcEnvironment&) = delete;

  // The process's own is back, if a call was left for good.
  static void restore();

 private:
  char** before_;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_LIBC_ENVIRONMENT_H_
