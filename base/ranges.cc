#include "base/ranges.h"

#include <algorithm>
#include <utility>

namespace roam {

namespace {

// As joined(), of what is in order of begin already.
std::vector<Range> joined_in_order(std::vector<Range> all) {
  std::size_t last = 0;
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].begin > all[last].end())
      all[++last] = all[i];
    else
      all[last].bytes = std::max(all[last].end(), all[i].end()) - all[last].begin;
  }
  if (!all.empty()) all.resize(last + 1);
  return all;
}

}  // namespace

std::vector<Range> joined(std::vector<Range> all) {
  std::sort(all.begin(), all.end(), [](Range a, Range b) { return a.begin < b.begin; });
  return joined_in_order(std::move(all));
}

std::vector<Range> without(const std::vector<Range>& from, const std::vector<Range>& taken) {
  const std::vector<Range> apart = joined_in_order(taken);
  std::vector<Range> left;
  auto next = apart.begin();
  for (const Range& range : from) {
    Address at = range.begin;
    while (next != apart.end() && next->end() <= at) ++next;
    for (auto t = next; t != apart.end() && t->begin < range.end(); ++t) {
      if (t->begin > at) left.push_back({at, t->begin - at});
      at = t->end();
    }
    if (at < range.end()) left.push_back({at, range.end() - at});
  }
  return left;
}

}  // namespace roam
