#include "base/os/cores.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <bit>

namespace roam::os {
namespace {

constexpr std::size_t kWords = 8'192 / 64;

}  // namespace

CoreSet allowed_cores() {
  CoreSet cores(kWords);
  static_assert(sizeof(std::uint64_t) == sizeof(__cpu_mask), "a set of cores has words of 64 bits");
  if (sched_getaffinity(0, kWords * sizeof cores[0], reinterpret_cast<cpu_set_t*>(cores.data())) !=
      0) {
    cores[0] = 1;
  }
  return cores;
}

int machine_cores() { return std::max(static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)), 1); }

int count(const CoreSet& cores) {
  int sum = 0;
  for (const std::uint64_t word : cores) sum += std::popcount(word);
  return sum;
}

int first(const CoreSet& cores) {
  int base = 0;
  for (const std::uint64_t word : cores) {
    if (word != 0) return base + std::countr_zero(word);
    base += 64;
  }
  return -1;
}

}  // namespace roam::os
