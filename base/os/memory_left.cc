#include "base/os/memory_left.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace roam::os {
namespace {

bool read_number(const std::string& path, std::uint64_t* number) {
  std::ifstream file(path);
  return static_cast<bool>(file >> *number);  // "max" is no number
}

// The folder of this process's control group, of version 2; empty: it has none.
std::string own_group() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::")) return "/sys/fs/cgroup" + line.substr(3);
  }
  return {};
}

}  // namespace

std::uint64_t memory_left() {
  std::uint64_t left = 0;
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("MemAvailable:")) left = std::stoull(line.substr(13)) * 1024;
  }
  // A limit of a group is one of all groups in it.
  const std::string root = "/sys/fs/cgroup";
  for (std::string group = own_group(); group.size() > root.size();
       group.resize(group.rfind('/'))) {
    std::uint64_t most = 0, used = 0;
    if (read_number(group + "/memory.max", &most) && read_number(group + "/memory.current", &used))
      left = std::min(left, most - std::min(most, used));
  }
  return left;
}

}  // namespace roam::os
