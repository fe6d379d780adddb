#ifndef ROAM_RUNTIME_BALANCE_HEAVY_FIRST_H_
#define ROAM_RUNTIME_BALANCE_HEAVY_FIRST_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/balance/load_table.h"

namespace roam::balance {

// A thread of a table, copied, so that a walk in another order than the table's stays in the cache.
struct SortedThread : ThreadLoad {
  std::uint32_t index = 0;
};

// The longest first; equal ones in their order.
inline void sort_heavy_first(std::vector<SortedThread>* threads) {
  std::sort(threads->begin(), threads->end(), [](const SortedThread& a, const SortedThread& b) {
    return a.load_s != b.load_s ? a.load_s > b.load_s : a.index < b.index;
  });
}

// All threads, the longest first.
inline std::vector<SortedThread> heavy_first(const LoadTable& table) {
  std::vector<SortedThread> order;
  order.reserve(table.threads.size());
  for (const ThreadLoad& thread : table.threads) {
    order.push_back({thread, static_cast<std::uint32_t>(order.size())});
  }
  sort_heavy_first(&order);
  return order;
}

// Which quarter of an octave a load belongs to. Of threads in the same one, whose loads differ by
// less than a fifth, the cost of a move may decide who goes first.
inline int size_class(double load_s) {
  return load_s > 0 ? static_cast<int>(std::floor(4 * std::log2(load_s))) : -10'000;
}

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_HEAVY_FIRST_H_
