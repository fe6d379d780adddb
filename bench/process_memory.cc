#include "bench/process_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace bench {
namespace {

// The beginning of a file of /proc.
class ProcFile {
 public:
  explicit ProcFile(const char* path) : path_(path) {
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    std::size_t length = 0;
    ssize_t more = 0;
    while (file >= 0 && (more = read(file, text_ + length, sizeof text_ - 1 - length)) > 0) {
      length += static_cast<std::size_t>(more);
    }
    if (file >= 0) close(file);
    text_[length] = '\0';
  }

  // The number of KiB behind `key`, in bytes.
  double bytes(const char* key) const {
    const char* at = std::strstr(text_, key);
    if (at == nullptr) {
      std::fprintf(stderr, "%s has no %s\n", path_, key);
      std::exit(1);
    }
    return std::strtod(at + std::strlen(key), nullptr) * 1024;
  }

 private:
  const char* path_;
  char text_[8192];
};

}  // namespace

ProcessMemory process_memory() {
  const ProcFile smaps("/proc/self/smaps_rollup");
  const ProcFile status("/proc/self/status");
  return {smaps.bytes("\nRss:"), smaps.bytes("\nPss:"), status.bytes("\nVmPTE:")};
}

MachineMemory machine_memory() {
  const ProcFile meminfo("/proc/meminfo");
  return {meminfo.bytes("\nMemAvailable:"), meminfo.bytes("\nSlab:")};
}

}  // namespace bench
