#include "runtime/checkpoint/piece_source.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/os/file_calls.h"
#include "base/text.h"
#include "runtime/checkpoint/owner.h"
#include "runtime/checkpoint/page_buffer.h"
#include "runtime/checkpoint/shortage.h"

namespace roam::runtime {
namespace {

constexpr std::size_t kMostParts = 1024;  // of one system call

}  // namespace

void PieceSource::close() {
  if (fd_ >= 0) os::close_file_of(std::exchange(fd_, -1));
}

bool PieceSource::refuse(std::uint64_t at, const std::string& what, std::string* why) const {
  *why = text("%s at byte %llu: ", path_.c_str(), static_cast<unsigned long long>(at)) + what;
  return false;
}

bool PieceSource::open(int fd, const std::string& path, bool of_others, std::string* why) {
  struct stat file {};
  const int error = fd < 0 || fstat(fd, &file) != 0 ? errno : 0;
  path_ = path;
  fd_ = fd;
  if (error != 0) {
    lacked_ = is_shortage(error);
    *why = text("%s: open: %s", path.c_str(), std::strerror(error));
    return false;
  }
  if (!S_ISREG(file.st_mode)) {
    *why = path + ": it is no regular file";
    return false;
  }
  std::string whose;
  if (!may_be_read(file.st_uid, geteuid(), of_others, &whose)) {
    *why = path + ": " + whose;
    return false;
  }
  file_bytes_ = static_cast<std::uint64_t>(file.st_size);
  direct_ = os::set_direct(fd, true) == 0;
  if (file_bytes_ < 2 * kPageBytes) return true;
  PageBuffer page;
  page.make(kPageBytes);
  if (!read(0, page.data(), kPageBytes, why)) return false;
  if (!FrameTable::begins(page.data())) return true;
  table_ = std::make_unique<FrameTable>();
  FrameTable::Wrong wrong;
  return table_->take_head(page.data(), &wrong) || refuse(wrong.at, wrong.what, why);
}

bool PieceSource::read_table(std::string* why) {
  FrameTable::Wrong wrong;
  if (file_bytes_ % kPageBytes != 0)
    return refuse(file_bytes_, "it does not end at a whole page: it is cut off", why);
  PageBuffer buffer;
  buffer.make(kPageBytes);
  if (!read(file_bytes_ - kPageBytes, buffer.data(), kPageBytes, why)) return false;
  if (!table_->take_trailer(buffer.data() + kPageBytes - sizeof(CompressedTrailer), file_bytes_,
                            &wrong))
    return refuse(wrong.at, wrong.what, why);
  const std::uint64_t bytes = table_->table_bytes() + sizeof(CompressedTrailer);
  buffer.make(bytes);
  if (!read(table_->table_offset(), buffer.data(), bytes, why)) return false;
  return table_->take_table(buffer.data(), &wrong) || refuse(wrong.at, wrong.what, why);
}

bool PieceSource::read(std::uint64_t offset, std::span<const iovec> parts, std::string* why) {
  std::vector<iovec> left(parts.begin(), parts.end());
  for (std::size_t first = 0; first < left.size();) {
    const int count = static_cast<int>(std::min(kMostParts, left.size() - first));
    const ssize_t done = os::read_parts(fd_, &left[first], count, offset);
    if (done < 0 && errno == EINVAL && direct_) {
      direct_ = false;
      os::set_direct(fd_, false);
      continue;
    }
    if (done < 0) {
      lacked_ = is_shortage(errno);
      return refuse(offset, text("preadv: %s", std::strerror(errno)), why);
    }
    if (done == 0) return refuse(offset, "the file ends here: it is cut off", why);
    offset += static_cast<std::uint64_t>(done);
    for (auto taken = static_cast<std::size_t>(done); taken != 0;) {
      iovec& part = left[first];
      const std::size_t bytes = std::min(part.iov_len, taken);
      part.iov_base = static_cast<char*>(part.iov_base) + bytes;
      part.iov_len -= bytes;
      taken -= bytes;
      if (part.iov_len == 0) ++first;
    }
    if (direct_ && offset % kPageBytes != 0) {
      direct_ = false;
      os::set_direct(fd_, false);
    }
  }
  return true;
}

bool PieceSource::read(std::uint64_t offset, char* to, std::size_t bytes, std::string* why) {
  const iovec part{to, bytes};
  return read(offset, {&part, 1}, why);
}

}  // namespace roam::runtime
