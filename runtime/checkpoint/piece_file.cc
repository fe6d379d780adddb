#include "runtime/checkpoint/piece_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/os/file_calls.h"
#include "base/text.h"
#include "runtime/checkpoint/direct_write.h"

namespace roam::runtime {
namespace {

constexpr std::uint64_t kPartBytes = 4 << 20;  // of one system call: it keeps a disk busy

}  // namespace

void PieceFile::begin(const std::string& path, int fd, const char* mapped,
                      std::uint64_t mapped_bytes) {
  path_ = path;
  object_ = fd;
  mapped_ = mapped;
  mapped_bytes_ = mapped_bytes;
  begun_ = true;
}

// A short one is written by end(), and so is any if there is no room for a kernel thread.
void PieceFile::grew_to(std::uint64_t bytes) {
  tell(bytes);
  if (bytes < kPartBytes || std::exchange(tried_, true)) return;
  runs_ = thread_.begin([this] { write(); });
}

void PieceFile::tell(std::uint64_t state) {
  there_.store(state, std::memory_order_release);
  there_.notify_one();
}

bool PieceFile::end(std::uint64_t bytes, std::string* why) {
  tell(bytes | kComplete);
  if (runs_)
    thread_.end();
  else
    write();
  begun_ = runs_ = tried_ = false;
  *why = why_;
  return why_.empty();
}

void PieceFile::give_up() {
  if (!begun_) return;
  tell(kGivenUp);
  thread_.end();
  begun_ = runs_ = tried_ = false;
  if (fd_ < 0) return;
  os::close_file_of(fd_);
  os::remove_file(path_);
  fd_ = -1;
}

bool PieceFile::fail(const char* call) {
  why_ = text("%s: %s: %s", path_.c_str(), call, std::strerror(errno));
  if (fd_ >= 0) {
    os::close_file_of(fd_);
    os::remove_file(path_);
    fd_ = -1;
  }
  return false;
}

void PieceFile::write() {
  fd_ = os::open_file(path_, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (fd_ < 0) {
    fail("open");
    return;
  }
  direct_ = os::set_direct(fd_, true) == 0;
  for (std::uint64_t at = 0;;) {
    const std::uint64_t state = there_.load(std::memory_order_acquire);
    if ((state & kGivenUp) != 0) return;
    const bool complete = (state & kComplete) != 0;
    const std::uint64_t left = (state & ~kComplete) - at;
    if (left >= kPartBytes || (complete && left != 0)) {
      const std::uint64_t bytes = std::min(left, kPartBytes);
      if (!write_part(at, bytes)) return;
      at += bytes;
    } else if (complete) {
      break;
    } else {
      there_.wait(state, std::memory_order_acquire);
    }
  }
  if (os::sync_file(fd_) != 0) {
    fail("fsync");
    return;
  }
  const int fd = fd_;
  fd_ = -1;
  if (os::close_file_of(fd) == 0) return;
  fail("close");
  os::remove_file(path_);
}

bool PieceFile::write_part(std::uint64_t at, std::uint64_t bytes) {
  if (at + bytes <= mapped_bytes_) return write_from(mapped_ + at, at, bytes);
  void* part = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, object_, static_cast<off_t>(at));
  if (part == MAP_FAILED) return fail("mmap");
  const bool good = write_from(static_cast<const char*>(part), at, bytes);
  munmap(part, bytes);
  return good;
}

bool PieceFile::write_from(const char* from, std::uint64_t at, std::uint64_t bytes) {
  std::vector<iovec> parts{{const_cast<char*>(from), bytes}};
  return write_direct(fd_, parts, &at, &direct_) || fail("pwritev");
}

}  // namespace roam::runtime
