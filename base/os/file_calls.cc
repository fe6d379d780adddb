#include "base/os/file_calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace roam::os {

std::atomic<int> fail_file_call_after{0};
std::atomic<bool> fail_by_half{false};

namespace {

// Whether this is the call that fails.
bool its_turn() {
  if (fail_file_call_after.load(std::memory_order_relaxed) == 0) return false;
  return fail_file_call_after.fetch_sub(1) == 1;
}

bool injected_failure(int error) {
  if (!its_turn()) return false;
  errno = error;
  return true;
}

template <class Call>
auto again(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

// The first half of `parts`, at least a byte; what a disk does that is nearly full.
std::vector<iovec> half_of(const iovec* parts, int count) {
  std::size_t bytes = 0;
  for (int i = 0; i < count; ++i) bytes += parts[i].iov_len;
  bytes = std::max<std::size_t>(bytes / 2, 1);
  std::vector<iovec> half;
  for (int i = 0; bytes != 0; ++i) {
    half.push_back({parts[i].iov_base, std::min(parts[i].iov_len, bytes)});
    bytes -= half.back().iov_len;
  }
  return half;
}

template <class Transfer>
ssize_t transfer(Transfer call, int fd, const iovec* parts, int count, std::uint64_t offset,
                 int error) {
  const auto at = static_cast<off_t>(offset);
  if (!its_turn()) return again([&] { return call(fd, parts, count, at); });
  if (!fail_by_half) {
    errno = error;
    return -1;
  }
  // A half need not be whole pages.
  const int flags = fcntl(fd, F_GETFL);
  fcntl(fd, F_SETFL, flags & ~O_DIRECT);
  const std::vector<iovec> half = half_of(parts, count);
  const ssize_t done =
      again([&] { return call(fd, half.data(), static_cast<int>(half.size()), at); });
  const int after = errno;
  fcntl(fd, F_SETFL, flags);
  errno = after;
  return done;
}

}  // namespace

int open_file(const std::string& path, int flags, unsigned mode) {
  if (injected_failure((flags & O_CREAT) != 0 ? ENOSPC : EIO)) return -1;
  return again([&] { return open(path.c_str(), flags | O_CLOEXEC, mode); });
}

int close_file_of(int fd) {
  const bool fails = its_turn();
  const int result = close(fd);  // closed even if it is interrupted
  if (!fails) return result != 0 && errno != EINTR ? -1 : 0;
  errno = EIO;
  return -1;
}

ssize_t write_parts(int fd, const iovec* parts, int count, std::uint64_t offset) {
  return transfer(pwritev, fd, parts, count, offset, ENOSPC);
}

ssize_t read_parts(int fd, const iovec* parts, int count, std::uint64_t offset) {
  return transfer(preadv, fd, parts, count, offset, EIO);
}

namespace {

bool all(ssize_t (*call)(int, const iovec*, int, std::uint64_t), int fd, char* bytes,
         std::size_t count, std::uint64_t offset) {
  while (count != 0) {
    const iovec part{bytes, count};
    const ssize_t done = call(fd, &part, 1, offset);
    if (done == 0) errno = EIO;
    if (done <= 0) return false;
    bytes += done;
    offset += static_cast<std::uint64_t>(done);
    count -= static_cast<std::size_t>(done);
  }
  return true;
}

}  // namespace

bool write_all(int fd, const void* bytes, std::size_t count, std::uint64_t offset) {
  return all(write_parts, fd, static_cast<char*>(const_cast<void*>(bytes)), count, offset);
}

bool read_all(int fd, void* bytes, std::size_t count, std::uint64_t offset) {
  return all(read_parts, fd, static_cast<char*>(bytes), count, offset);
}

int sync_file(int fd) {
  if (injected_failure(EIO)) return -1;
  return again([&] { return fsync(fd); });
}

int make_folder(const std::string& path, unsigned mode) {
  if (injected_failure(ENOSPC)) return -1;
  return mkdir(path.c_str(), mode);
}

int link_file(const std::string& from, const std::string& to) {
  if (injected_failure(ENOSPC)) return -1;
  return again([&] { return link(from.c_str(), to.c_str()); });
}

int rename_file(const std::string& from, const std::string& to) {
  if (injected_failure(EIO)) return -1;
  return rename(from.c_str(), to.c_str());
}

int remove_file(const std::string& path) {
  if (injected_failure(EIO)) return -1;
  return unlink(path.c_str());
}

int remove_folder(const std::string& path) {
  if (injected_failure(EIO)) return -1;
  return rmdir(path.c_str());
}

int set_direct(int fd, bool direct) {
  if (injected_failure(EINVAL)) return -1;
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return -1;
  return fcntl(fd, F_SETFL, direct ? flags | O_DIRECT : flags & ~O_DIRECT);
}

int lock_file(int fd) {
  if (injected_failure(EIO)) return -1;
  return again([&] { return flock(fd, LOCK_EX | LOCK_NB); });
}

bool list_folder(const std::string& path, std::vector<std::string>* names) {
  names->clear();
  if (injected_failure(EIO)) return false;
  DIR* folder = opendir(path.c_str());
  if (folder == nullptr) return false;
  errno = 0;
  while (const dirent* entry = readdir(folder)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names->push_back(name);
  }
  const int error = errno;
  closedir(folder);
  std::sort(names->begin(), names->end());
  errno = error;
  return error == 0;
}

}  // namespace roam::os
