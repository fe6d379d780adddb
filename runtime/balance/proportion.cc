#include "runtime/balance/proportion.h"

#include <algorithm>
#include <cstddef>

namespace roam::balance {

long double set_proportions(LoadTable& table, const std::vector<long double>& loads) {
  const long double most = loads.empty() ? 0 : *std::max_element(loads.begin(), loads.end());
  double sum = 0, speed = 0;
  long double load = 0;
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    table.threads[i].load_s = proportion(loads[i], most);
    sum += table.threads[i].load_s;
    load += loads[i];
  }
  for (const RankInfo& rank : table.ranks) speed += rank.speed;
  if (!(sum > 0)) return 1;
  for (ThreadLoad& thread : table.threads) thread.load_s *= speed / sum;
  return load / static_cast<long double>(speed);
}

}  // namespace roam::balance
