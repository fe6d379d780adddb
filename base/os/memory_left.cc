#include "base/os/memory_left.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace roam::os {
namespace {

// How a version of control groups names what a group may have and has.
struct Names {
  const char* most;
  const char* used;
  const char* cache;  // in memory.stat: of `used`, what the kernel takes back first
};
constexpr Names kVersion1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};
constexpr Names kVersion2{"memory.max", "memory.current", "inactive_file"};

bool read_number(const std::string& path, std::uint64_t* number) {
  std::ifstream file(path);
  return static_cast<bool>(file >> *number);  // "max" is no number
}

// What stands behind `key` in a file of keys and numbers; 0: it is not there.
std::uint64_t number_of(const std::string& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string word;
    std::uint64_t number = 0;
    if (words >> word >> number && word == key) return number;
  }
  return 0;
}

bool has_word(const std::string& list, std::string_view word) {
  std::istringstream words(list);
  for (std::string w; std::getline(words, w, ',');) {
    if (w == word) return true;
  }
  return false;
}

// Of this process, in the hierarchy that limits memory: "" where it has none.
std::string group_of(const std::string& root, bool version1) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {  // "4:memory,hugetlb:/a/b", "0::/a/b"
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string of = line.substr(first + 1, second - first - 1);
    if (version1 ? has_word(of, "memory") : of.empty()) return line.substr(second + 1);
  }
  return {};
}

// What `group` and those that it lies in leave, `left` at most. `shown` is the group whose folder
// `folder` is: in a container not that of the whole machine, and perhaps of none that counts.
std::uint64_t within(const Names& names, std::string group, const std::string& shown,
                     const std::string& folder, std::uint64_t left) {
  if (shown != "/") {
    if (group != shown && !group.starts_with(shown + "/")) return left;
    group.erase(0, shown.size());
  }
  while (true) {
    const std::string here = folder + group + "/";
    std::uint64_t most = 0, used = 0;
    if (read_number(here + names.most, &most) && read_number(here + names.used, &used)) {
      used -= std::min(used, number_of(here + "memory.stat", names.cache));
      left = std::min(left, most - std::min(most, used));
    }
    if (group.empty()) return left;
    group.resize(group.rfind('/'));
  }
}

}  // namespace

std::uint64_t memory_left(const std::string& root) {
  std::uint64_t left = number_of(root + "/proc/meminfo", "MemAvailable:") * 1024;
  std::ifstream mounts(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string number, shown, folder, word, kind, source, options;
    words >> number >> number >> number >> shown >> folder;
    while (words >> word && word != "-") {
    }
    words >> kind >> source >> options;
    const bool version1 = kind == "cgroup" && has_word(options, "memory");
    if (!version1 && kind != "cgroup2") continue;
    const std::string group = group_of(root, version1);
    if (group.starts_with('/'))
      left = within(version1 ? kVersion1 : kVersion2, group, shown, root + folder, left);
  }
  return left;
}

}  // namespace roam::os
