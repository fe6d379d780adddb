#include "mpi/calls/file_bytes.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "mpi/calls/open_files.h"

namespace roam::mpi {
namespace {

constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;
constexpr long kLongestWait = 60'000'000'000;  // nanoseconds

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

std::size_t read_bytes(int descriptor, MPI_Offset at, char* to, std::size_t bytes,
                       const std::string& path) {
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t now = pread(descriptor, to + done, std::min(bytes - done, kMostAtOnce),
                              at + static_cast<MPI_Offset>(done));
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) throw_file_error(errno, "reading " + path);
    if (now == 0) break;
    done += static_cast<std::size_t>(now);
  }
  return done;
}

void write_bytes(int descriptor, MPI_Offset at, const char* from, std::size_t bytes,
                 const std::string& path) {
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t now = pwrite(descriptor, from + done, std::min(bytes - done, kMostAtOnce),
                               at + static_cast<MPI_Offset>(done));
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) throw_file_error(now < 0 ? errno : ENOSPC, "writing " + path);
    done += static_cast<std::size_t>(now);
  }
}

int FileLock::take(int descriptor, bool for_writing, MPI_Offset begin, MPI_Offset bytes) {
  struct flock lock = range(for_writing ? F_WRLCK : F_RDLCK, begin, bytes);
  // The kernel would wait for ever for a lock that a virtual rank of this process has, by fcntl of
  // its own: it runs no more until this returns. Others have theirs for as long as bytes take.
  timespec pause = {0, 20'000};
  for (long waited = 0; control(descriptor, F_OFD_SETLK, &lock) != 0; waited += pause.tv_nsec) {
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EACCES) return errno;
    if (waited >= kLongestWait) return EBUSY;
    syscall(SYS_nanosleep, &pause, nullptr);
    pause.tv_nsec = std::min(2 * pause.tv_nsec, 2'000'000L);
  }
  descriptor_ = descriptor;
  begin_ = begin;
  bytes_ = bytes;
  return 0;
}

FileLock::~FileLock() {
  if (descriptor_ < 0) return;
  struct flock lock = range(F_UNLCK, begin_, bytes_);
  control(descriptor_, F_OFD_SETLK, &lock);
}

}  // namespace roam::mpi
