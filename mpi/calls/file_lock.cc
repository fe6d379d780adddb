#include "mpi/calls/file_lock.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "mpi/calls/file_error.h"

namespace roam::mpi {
namespace {

// The kernel's own call: libc's is one in which a thread of Roam suspends, and may come back on
// another rank.
long control(int descriptor, int command, struct flock* what) {
  return syscall(SYS_fcntl, descriptor, command, what);
}

struct flock range(short kind, MPI_Offset begin, MPI_Offset bytes) {
  struct flock lock = {};
  lock.l_type = kind;
  lock.l_whence = SEEK_SET;
  lock.l_start = begin;
  lock.l_len = bytes;
  return lock;
}

}  // namespace

int FileLock::take(int descriptor, bool for_writing, MPI_Offset begin, MPI_Offset bytes) {
  struct flock lock = range(for_writing ? F_WRLCK : F_RDLCK, begin, bytes);
  // The kernel would wait for ever for a lock that a virtual rank of this process has, by fcntl of
  // its own: it runs no more until this returns. Others have theirs for as long as bytes take.
  timespec pause = {0, 20'000};
  for (long waited = 0; control(descriptor, F_OFD_SETLK, &lock) != 0; waited += pause.tv_nsec) {
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EACCES) return errno;
    if (waited >= longest_wait_) return EBUSY;
    syscall(SYS_nanosleep, &pause, nullptr);
    pause.tv_nsec = std::min(2 * pause.tv_nsec, 2'000'000L);
  }
  descriptor_ = descriptor;
  begin_ = begin;
  bytes_ = bytes;
  return 0;
}

bool FileLock::take_if_any(int descriptor, bool for_writing, MPI_Offset begin, MPI_Offset bytes,
                           const std::string& path) {
  switch (const int error = take(descriptor, for_writing, begin, bytes)) {
    case 0:
      return true;
    case ENOSYS:
    case EOPNOTSUPP:
    case EINVAL:
    case ENOLCK:
      return false;
    default:
      throw_file_error(error, "locking " + path);
  }
}

FileLock::~FileLock() {
  if (descriptor_ < 0) return;
  struct flock lock = range(F_UNLCK, begin_, bytes_);
  control(descriptor_, F_OFD_SETLK, &lock);
}

}  // namespace roam::mpi
