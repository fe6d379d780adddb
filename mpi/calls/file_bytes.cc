#include "mpi/calls/file_bytes.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "mpi/calls/file_error.h"
#include "runtime/api/member_messages.h"

namespace roam::mpi {
namespace {

constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;

// Memory of another member is usable here when it is first used, for whoever does that himself:
// the kernel does not.
bool may_try_again(const void* data, std::size_t bytes) {
  return errno == EINTR || (errno == EFAULT && runtime::admit_for_kernel(data, bytes));
}

}  // namespace

std::size_t read_bytes(int descriptor, MPI_Offset at, char* to, std::size_t bytes,
                       const std::string& path) {
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t now = pread(descriptor, to + done, std::min(bytes - done, kMostAtOnce),
                              at + static_cast<MPI_Offset>(done));
    if (now < 0 && may_try_again(to + done, bytes - done)) continue;
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
    if (now < 0 && may_try_again(from + done, bytes - done)) continue;
    if (now <= 0) throw_file_error(now < 0 ? errno : ENOSPC, "writing " + path);
    done += static_cast<std::size_t>(now);
  }
}

}  // namespace roam::mpi
