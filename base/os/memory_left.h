#ifndef ROAM_BASE_OS_MEMORY_LEFT_H_
#define ROAM_BASE_OS_MEMORY_LEFT_H_

#include <cstdint>

namespace roam::os {

// Bytes that this machine's processes can still get without one of them being killed: what the
// kernel says is available, or less where a control group of this process allows less.
std::uint64_t memory_left();

}  // namespace roam::os

#endif  // ROAM_BASE_OS_MEMORY_LEFT_H_
