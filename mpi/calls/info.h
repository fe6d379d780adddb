#ifndef ROAM_MPI_CALLS_INFO_H_
#define ROAM_MPI_CALLS_INFO_H_

#include <string>
#include <utility>
#include <vector>

namespace roam::mpi {

// Keys with values, in the order in which they were set first.
struct Info {
  std::vector<std::pair<std::string, std::string>> entries;

  const std::string* find(const std::string& key) const {
    for (const auto& entry : entries) {
      if (entry.first == key) return &entry.second;
    }
    return nullptr;
  }
  void set(const std::string& key, const std::string& value) {
    for (auto& entry : entries) {
      if (entry.first != key) continue;
      entry.second = value;
      return;
    }
    entries.emplace_back(key, value);
  }
  // False: it was not there.
  bool remove(const std::string& key) {
    return std::erase_if(entries, [&](const auto& entry) { return entry.first == key; }) != 0;
  }
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_INFO_H_
