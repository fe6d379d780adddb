#ifndef ROAM_RUNTIME_BALANCE_HEAVY_FIRST_H_
#define ROAM_RUNTIME_BALANCE_HEAVY_FIRST_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "runtime/balance/load_table.h"

namespace roam::balance {

// Threads by index, the longest first; equal ones in their order.
inline std::vector<std::uint32_t> heavy_first(const LoadTable& table) {
  std::vector<std::uint32_t> order(table.threads.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const double x = table.threads[a].load_s, y = table.threads[b].load_s;
    return x != y ? x > y : a < b;
  });
  return order;
}

// Which power of two a load belongs to. Among threads of one octave the bytes may decide who moves:
// their loads differ by less than two.
inline int octave(double load_s) { return load_s > 0 ? std::ilogb(load_s) : -2000; }

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_HEAVY_FIRST_H_
