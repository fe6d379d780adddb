#include "base/os/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace roam::os {
namespace {

// Of one file, by processes at the same time.
constexpr int kMostParts = 1000;

// Bytes written before a failure; all of them if there was none.
std::size_t write_all(int fd, const char* data, std::size_t bytes) {
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t n = ::write(fd, data + done, bytes - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

}  // namespace

// ---- WholeFile ----

WholeFile::~WholeFile() {
  if (fd_ >= 0) drop_part();
}

void WholeFile::drop_part() {
  if (aside_) unlink(part_.c_str());
  close(fd_);
  fd_ = -1;
}

bool WholeFile::fail(const char* call) {
  error_ = std::string(call) + ": " + std::strerror(errno);
  open_ = false;
  if (fd_ >= 0) drop_part();
  return false;
}

// A part that nobody holds a lock on was left by a process that was killed. On a file system
// without locks each is taken for one.
bool WholeFile::make_part() {
  for (int number = 1;; ++number) {
    part_ = path_ + ".part" + (number == 1 ? "" : std::to_string(number));
    fd_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd_ < 0) return false;
    const bool others = flock(fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    struct stat mine {
    }, named{};
    if (!others && fstat(fd_, &mine) == 0 && stat(part_.c_str(), &named) == 0 &&
        mine.st_ino == named.st_ino && ftruncate(fd_, 0) == 0)
      return true;
    // Or it got its place, or was given up, between the two calls.
    const bool failed = !others && named.st_ino == mine.st_ino;
    const int error = errno;
    close(fd_);
    fd_ = -1;
    errno = error;
    if (failed || number == kMostParts) return false;
  }
}

bool WholeFile::open(const std::string& path) {
  path_ = path;
  struct stat there {};
  const bool exists = stat(path.c_str(), &there) == 0;
  if (exists && S_ISDIR(there.st_mode)) {
    errno = EISDIR;
    return fail("open");
  }
  aside_ = !exists || S_ISREG(there.st_mode);
  if (!aside_) {
    fd_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd_ < 0) return fail("open");
  } else {
    if ((exists && access(path.c_str(), W_OK) != 0) || !make_part()) return fail("open");
    drop_part();
  }
  open_ = true;
  return true;
}

bool WholeFile::write(const void* data, std::size_t bytes) {
  if (!open_) return false;
  if (fd_ < 0 && !make_part()) return fail("open");
  const std::size_t done = write_all(fd_, static_cast<const char*>(data), bytes);
  bytes_ += done;
  return done == bytes || fail("write");
}

// The lock is held until the file has its place: else it would be another's to write over.
bool WholeFile::keep() {
  if (!open_ || (fd_ < 0 && !make_part())) return error_.empty() ? fail("open") : false;
  open_ = false;
  const int held = aside_ ? fcntl(fd_, F_DUPFD_CLOEXEC, 0) : -1;
  const int fd = fd_;
  fd_ = -1;
  const bool kept = close(fd) == 0 && (!aside_ || std::rename(part_.c_str(), path_.c_str()) == 0);
  if (!kept) {
    fail("close");
    if (aside_) unlink(part_.c_str());
  }
  if (held >= 0) close(held);
  return kept;
}

// ---- ScratchFile ----

ScratchFile::~ScratchFile() {
  if (fd_ >= 0) close(fd_);
}

bool ScratchFile::open() {
  const char* set = std::getenv("TMPDIR");
  const std::string folder = set != nullptr && *set != '\0' ? set : "/tmp";
  fd_ = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd_ >= 0) return true;
  // Not every file system has O_TMPFILE.
  std::string name = folder + "/roam.XXXXXX";
  fd_ = mkostemp(name.data(), O_CLOEXEC);
  if (fd_ >= 0) unlink(name.c_str());
  return fd_ >= 0;
}

bool ScratchFile::append(const void* data, std::size_t bytes) {
  if (fd_ < 0) return false;
  const int error = errno;
  const char* at = static_cast<const char*>(data);
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t n = pwrite(fd_, at + done, bytes - done, static_cast<off_t>(bytes_ + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  errno = error;
  if (done != bytes) return false;  // the next attempt writes over the part
  bytes_ += bytes;
  return true;
}

std::size_t ScratchFile::read(std::uint64_t offset, void* data, std::size_t bytes) const {
  char* at = static_cast<char*>(data);
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t n = pread(fd_, at + done, bytes - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

}  // namespace roam::os
