#ifndef ROAM_RUNTIME_BALANCE_MIXED_H_
#define ROAM_RUNTIME_BALANCE_MIXED_H_

#include <cstdint>

namespace roam::balance {

// A number that follows from `z` and looks like chance, the same on every platform.
//
// Source: Vigna, splitmix64.
inline std::uint64_t mixed(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_MIXED_H_
