#ifndef ROAM_BASE_OS_CORES_H_
#define ROAM_BASE_OS_CORES_H_

#include <cstdint>
#include <vector>

namespace roam::os {

// Cores by the number that the kernel gives them: core n is bit n % 64 of word n / 64. Sets of all
// processes have the same length, 8,192 cores.
using CoreSet = std::vector<std::uint64_t>;

// Those that the calling kernel thread may run on; core 0 if that cannot be known.
CoreSet allowed_cores();

// How many this machine has switched on.
int machine_cores();

int count(const CoreSet& cores);

// The lowest number in a set that is not empty.
int first(const CoreSet& cores);

}  // namespace roam::os

#endif  // ROAM_BASE_OS_CORES_H_
