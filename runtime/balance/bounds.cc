#include "runtime/balance/bounds.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

#include "runtime/balance/outcome.h"

namespace roam::balance {
namespace {

// Sums of the same threads in another order differ by less than this part.
constexpr double kRounding = 1e-12;

// Of the first (k - 1) * ranks + 1 threads, the longest first, some rank has k.
double of_full_ranks(const std::vector<double>& longest_first, std::size_t ranks) {
  double most = 0;
  std::vector<double> sum(longest_first.size() + 1);
  for (std::size_t i = 0; i < longest_first.size(); ++i) sum[i + 1] = sum[i] + longest_first[i];
  for (std::size_t k = 1, end = 1; end <= longest_first.size(); ++k, end += ranks)
    most = std::max(most, sum[end] - sum[end - k]);
  return most;
}

// Of the first so many threads, two are on one rank, or each is on another; then the longest had
// best be where the least cannot leave.
double beside_fixed(const std::vector<double>& longest_first,
                    const std::vector<double>& least_first) {
  double most = 0, apart = 0;
  for (std::size_t i = 0; i < longest_first.size(); ++i) {
    const bool one_each = i < least_first.size();
    if (one_each) apart = std::max(apart, longest_first[i] + least_first[i]);
    const double together = i == 0 ? std::numeric_limits<double>::infinity()
                                   : longest_first[i - 1] + longest_first[i] + least_first.front();
    most = std::max(most, one_each ? std::min(apart, together) : together);
    if (!one_each) break;
  }
  return most;
}

}  // namespace

double shortest_step_s(const LoadTable& table) {
  std::vector<double> fixed(table.ranks.size()), loads;
  for (const ThreadLoad& thread : table.threads) {
    if (thread.fixed)
      fixed[static_cast<std::size_t>(thread.rank)] += thread.load_s;
    else if (thread.load_s > 0)
      loads.push_back(thread.load_s);
  }
  double step_s = ideal_step_s(table), slowest = table.ranks[0].speed, fastest = slowest;
  for (std::size_t r = 0; r < fixed.size(); ++r) {
    step_s = std::max(step_s, fixed[r] / table.ranks[r].speed);
    slowest = std::min(slowest, table.ranks[r].speed);
    fastest = std::max(fastest, table.ranks[r].speed);
  }
  if (slowest != fastest) {
    const auto longest = std::max_element(loads.begin(), loads.end());
    return longest == loads.end() ? step_s : std::max(step_s, *longest / fastest);
  }
  std::sort(loads.begin(), loads.end(), std::greater<>());
  std::sort(fixed.begin(), fixed.end());
  return std::max(
      {step_s, of_full_ranks(loads, fixed.size()) / fastest, beside_fixed(loads, fixed) / fastest});
}

std::size_t fewest_moves(const LoadTable& table, double step_s) {
  std::vector<double> over_s(table.ranks.size());
  for (std::size_t r = 0; r < over_s.size(); ++r)
    over_s[r] = -step_s * table.ranks[r].speed * (1 + kRounding);
  for (const ThreadLoad& thread : table.threads)
    over_s[static_cast<std::size_t>(thread.rank)] += thread.load_s;
  std::vector<std::vector<double>> loads(over_s.size());
  for (const ThreadLoad& thread : table.threads) {
    const auto r = static_cast<std::size_t>(thread.rank);
    if (over_s[r] > 0 && !thread.fixed) loads[r].push_back(thread.load_s);
  }
  std::size_t moves = 0;
  for (std::size_t r = 0; r < over_s.size(); ++r) {
    std::sort(loads[r].begin(), loads[r].end(), std::greater<>());
    for (std::size_t i = 0; over_s[r] > 0 && i < loads[r].size(); ++i, ++moves)
      over_s[r] -= loads[r][i];
  }
  return moves;
}

}  // namespace roam::balance
