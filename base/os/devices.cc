#include "base/os/devices.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>

namespace roam::os {
namespace {

class Folder {
 public:
  explicit Folder(const char* path) : folder_(opendir(path)) {}
  ~Folder() {
    if (folder_ != nullptr) closedir(folder_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  bool there() const { return folder_ != nullptr; }
  int fd() const { return dirfd(folder_); }
  // The next name that does not begin with a dot; null: there is none.
  const char* next() {
    while (const dirent* entry = readdir(folder_)) {
      if (entry->d_name[0] != '.') return entry->d_name;
    }
    return nullptr;
  }

 private:
  DIR* folder_;
};

bool machine_has_some() {
  for (const char* kind : {"/sys/class/infiniband", "/sys/class/cxi", "/sys/class/bxi"}) {
    Folder folder(kind);
    if (folder.there() && folder.next() != nullptr) return true;
  }
  for (const char* device : {"/dev/xpmem", "/dev/knem", "/dev/nvidiactl", "/dev/kfd"}) {
    if (access(device, F_OK) == 0) return true;
  }
  return false;
}

// Memory devices (null, zero, random), terminals, FUSE, and TUN.
bool leaves_memory_alone(dev_t device) {
  constexpr unsigned kMemory = 1, kTerminals = 4, kTerminal = 5, kMisc = 10, kFirstPts = 136,
                     kLastPts = 143, kOldTerminals[] = {2, 3};
  constexpr unsigned kTun = 200, kFuse = 229;
  const unsigned kind = major(device), which = minor(device);
  if (kind == kMisc) return which == kTun || which == kFuse;
  return kind == kMemory || kind == kTerminals || kind == kTerminal ||
         (kind >= kFirstPts && kind <= kLastPts) ||
         std::find(std::begin(kOldTerminals), std::end(kOldTerminals), kind) !=
             std::end(kOldTerminals);
}

bool has_one_open() {
  Folder open_files("/proc/self/fd");
  if (!open_files.there()) return true;
  while (const char* name = open_files.next()) {
    struct stat status {};
    if (fstat(std::atoi(name), &status) != 0) continue;  // closed meanwhile
    if (S_ISCHR(status.st_mode) && !leaves_memory_alone(status.st_rdev)) return true;
    if (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode)) {
      const int flags = fcntl(std::atoi(name), F_GETFL);
      if (flags >= 0 && (flags & O_DIRECT) != 0) return true;
    }
    if ((status.st_mode & S_IFMT) != 0) continue;
    char link[64];
    const ssize_t bytes = readlinkat(open_files.fd(), name, link, sizeof link);
    if (bytes > 0 && std::string_view(link, static_cast<std::size_t>(bytes)).find("io_uring") !=
                         std::string::npos)
      return true;
  }
  return false;
}

// Empty if it cannot be read.
std::string text_of(const char* path) {
  std::string text;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? -1 : 1;
  while (got > 0) {
    constexpr std::size_t kPart = 64 << 10;
    const std::size_t before = text.size();
    text.resize(before + kPart);
    got = read(fd, text.data() + before, kPart);
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
  if (fd >= 0) close(fd);
  return got < 0 ? std::string() : text;
}

bool has_pinned_some() {
  const std::string status = text_of("/proc/self/status");
  constexpr std::string_view kName = "VmPin:";
  const std::size_t at = status.find(kName);
  return at == std::string::npos ||
         std::strtoull(status.c_str() + at + kName.size(), nullptr, 10) != 0;
}

// By their names: a context of libaio, rings whose descriptor may be closed, and devices.
bool has_mapped_one() {
  const std::string mappings = text_of("/proc/self/maps");
  if (mappings.empty() || mappings.find(" /[aio]") != std::string::npos ||
      mappings.find("[io_uring]") != std::string::npos)
    return true;
  constexpr std::string_view kDevice = " /dev/";
  for (std::size_t at = mappings.find(kDevice); at != std::string::npos;
       at = mappings.find(kDevice, at + 1)) {
    const std::string_view name = std::string_view(mappings).substr(at + kDevice.size());
    if (!name.starts_with("shm/") && !name.starts_with("zero") && !name.starts_with("null") &&
        !name.starts_with("hugepages"))
      return true;
  }
  return false;
}

}  // namespace

bool devices_may_write() {
  return machine_has_some() || has_one_open() || has_pinned_some() || has_mapped_one();
}

}  // namespace roam::os
