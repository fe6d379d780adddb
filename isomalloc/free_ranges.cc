#include "isomalloc/free_ranges.h"

#include <iterator>

#include "base/check.h"

namespace roam::iso {

void FreeRanges::add(Range range) {
  if (range.bytes == 0) return;
  by_address_.emplace(range.begin, range.bytes);
  by_size_.emplace(range.bytes, range.begin);
}

void FreeRanges::remove(Range range) {
  by_address_.erase(range.begin);
  by_size_.erase({range.bytes, range.begin});
}

void FreeRanges::insert(Range range) {
  const Range given = range;
  const auto next = by_address_.upper_bound(range.begin);
  Range behind{}, before{};
  if (next != by_address_.end()) behind = Range{next->first, next->second};
  if (next != by_address_.begin()) before = Range{std::prev(next)->first, std::prev(next)->second};
  ROAM_CHECK(before.end() <= given.begin && (behind.bytes == 0 || given.end() <= behind.begin),
             "range %p + %zu is freed twice", given.pointer(), given.bytes);
  if (before.bytes != 0 && before.end() == given.begin) {
    remove(before);
    range = Range{before.begin, before.bytes + range.bytes};
  }
  if (behind.bytes != 0 && given.end() == behind.begin) {
    remove(behind);
    range.bytes += behind.bytes;
  }
  add(range);
}

std::optional<Range> FreeRanges::take(std::size_t bytes) {
  const auto it = by_size_.lower_bound({bytes, 0});
  if (it == by_size_.end()) return std::nullopt;
  const Range taken{it->second, bytes};
  cut(taken);
  return taken;
}

bool FreeRanges::cut(Range range) {
  const Range found = holding(range.begin);
  if (found.bytes == 0 || found.end() < range.end()) return false;
  remove(found);
  add(Range{found.begin, range.begin - found.begin});
  add(Range{range.end(), found.end() - range.end()});
  return true;
}

Range FreeRanges::holding(Address a) const {
  auto it = by_address_.upper_bound(a);
  if (it == by_address_.begin()) return Range{};
  --it;
  const Range found{it->first, it->second};
  return found.contains(a) ? found : Range{};
}

}  // namespace roam::iso
