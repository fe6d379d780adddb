#include "base/os/clock_name.h"

#include <unistd.h>

#include <array>
#include <fstream>

namespace roam::os {

std::string clock_name() {
  std::string name;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> name;
  std::array<char, 64> time_namespace{};
  if (readlink("/proc/self/ns/time", time_namespace.data(), time_namespace.size() - 1) > 0)
    name += time_namespace.data();
  return name;
}

}  // namespace roam::os
