#include "runtime/checkpoint/direct_write.h"

#include <algorithm>
#include <cerrno>

#include "base/os/file_calls.h"
#include "base/range.h"

namespace roam::runtime {

bool write_direct(int fd, std::vector<iovec>& parts, std::uint64_t* offset, bool* direct) {
  const auto give_up_direct = [&] {
    *direct = false;
    os::set_direct(fd, false);
  };
  std::size_t first = 0;
  while (first < parts.size()) {
    const ssize_t done = os::write_parts(
        fd, &parts[first], static_cast<int>(std::min(kMostParts, parts.size() - first)), *offset);
    if (done < 0 && errno == EINVAL && *direct) {
      // The file system asks for something else, or does it not at all.
      give_up_direct();
      continue;
    }
    if (done == 0) errno = ENOSPC;
    if (done <= 0) return false;
    *offset += static_cast<std::uint64_t>(done);
    for (auto left = static_cast<std::size_t>(done); left != 0;) {
      iovec& part = parts[first];
      const std::size_t taken = std::min(part.iov_len, left);
      part.iov_base = static_cast<char*>(part.iov_base) + taken;
      part.iov_len -= taken;
      left -= taken;
      if (part.iov_len == 0) ++first;
    }
    if (*direct && *offset % kPageBytes != 0) give_up_direct();  // what is left of it is not whole
  }
  parts.clear();
  return true;
}

}  // namespace roam::runtime
