#include "tests/soak/memory.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace roam_test {

Memory memory_now() {
  Memory memory;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) memory.resident = std::stoull(line.substr(8)) << 10;
  }
  // The arena is the largest file in memory.
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    const std::string target = std::filesystem::read_symlink(entry.path(), error).string();
    struct stat file {};
    if (!target.starts_with("/memfd:") || stat(entry.path().c_str(), &file) != 0) continue;
    if (static_cast<std::size_t>(file.st_size) < (std::size_t{1} << 30)) continue;
    memory.arena = static_cast<std::size_t>(file.st_blocks) * 512;
  }
  return memory;
}

}  // namespace roam_test
