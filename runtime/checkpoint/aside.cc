#include "runtime/checkpoint/aside.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/os/memory_left.h"

namespace roam::runtime {
namespace {

// Of a piece that is so many times smaller than what is kept, the rest is given back; up to so many
// bytes are kept in any case.
constexpr std::uint64_t kMuchSmaller = 8;
constexpr std::uint64_t kKept = std::uint64_t{16} << 20;

}  // namespace

Aside::~Aside() {
  if (fd_ >= 0) close(fd_);
}

int Aside::take(std::uint64_t bytes, int ranks) {
  const std::uint64_t more = bytes > bytes_ ? bytes - bytes_ : 0;
  // Half of what is left stays the program's.
  if (more > os::memory_left() / 2 / static_cast<std::uint64_t>(ranks)) return -1;
  if (fd_ < 0) fd_ = memfd_create("roam-checkpoint", MFD_CLOEXEC);
  if (fd_ < 0) return -1;
  if (bytes_ > kKept && bytes < bytes_ / kMuchSmaller) {
    if (ftruncate(fd_, static_cast<off_t>(kKept)) != 0) return -1;
    bytes_ = kKept;
  }
  if (bytes > bytes_) bytes_ = bytes;
  return fd_;
}

}  // namespace roam::runtime
