#ifndef ROAM_MPI_CALLS_FILE_LOCK_H_
#define ROAM_MPI_CALLS_FILE_LOCK_H_

#include <mpi.h>

#include <string>

namespace roam::mpi {

// While one lives, no other process of the job has a lock of these bytes that is not shared, as
// this one if it is not `for_writing`. Locks are of the descriptor, which all virtual ranks of a
// process have in common. Nothing here suspends.
class FileLock {
 public:
  static constexpr long kLongestWait = 60'000'000'000;  // nanoseconds

  explicit FileLock(long longest_wait = kLongestWait) : longest_wait_(longest_wait) {}
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  // The number of the error, or 0. EBUSY: somebody else had them all the time.
  [[nodiscard]] int take(int descriptor, bool for_writing, MPI_Offset begin, MPI_Offset bytes);
  // The same for who can do without where there are no locks: false there.
  // CallError(MPI_ERR_...): there are, and this is not to be had.
  [[nodiscard]] bool take_if_any(int descriptor, bool for_writing, MPI_Offset begin,
                                 MPI_Offset bytes, const std::string& path);

 private:
  const long longest_wait_;
  int descriptor_ = -1;
  MPI_Offset begin_ = 0, bytes_ = 0;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_FILE_LOCK_H_
