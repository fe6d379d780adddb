#ifndef ROAM_BASE_OS_MEMORY_LEFT_H_
#define ROAM_BASE_OS_MEMORY_LEFT_H_

#include <cstdint>
#include <string>

namespace roam::os {

// Bytes that this machine's processes can still get without one of them being killed: what the
// kernel says is available, or less where a control group of this process (of version 1 or 2)
// allows less. What a group uses for files that were not read lately counts as left. `root`: of
// another machine's /proc and control groups, for tests.
std::uint64_t memory_left(const std::string& root = {});

}  // namespace roam::os

#endif  // ROAM_BASE_OS_MEMORY_LEFT_H_
