#include "isomalloc/free_ranges.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace roam::iso {

// Where there is no memory for the second entry the first is not there either.
void FreeRanges::add(Range range, std::uint64_t born) {
  const auto added = by_address_.emplace(range.begin, Free{range.bytes, born}).first;
  try {
    by_size_.emplace(range.bytes, range.begin);
  } catch (...) {
    by_address_.erase(added);
    throw;
  }
  bytes_ += range.bytes;
}

void FreeRanges::remove(ByAddress::const_iterator it) {
  bytes_ -= it->second.bytes;
  by_size_.erase({it->second.bytes, it->first});
  by_address_.erase(it);
}

// Its entries are used again: that needs no memory, and so cannot fail.
void FreeRanges::change(ByAddress::const_iterator it, Range range, std::uint64_t born) {
  auto by_address = by_address_.extract(it);
  auto by_size = by_size_.extract({by_address.mapped().bytes, by_address.key()});
  bytes_ += range.bytes - by_address.mapped().bytes;
  by_address.key() = range.begin;
  by_address.mapped() = Free{range.bytes, born};
  by_size.value() = {range.bytes, range.begin};
  by_address_.insert(std::move(by_address));
  by_size_.insert(std::move(by_size));
}

void FreeRanges::insert(Range range) {
  if (range.bytes == 0) return;
  const Range given = range;
  const auto behind = by_address_.upper_bound(given.begin);
  const auto before = behind == by_address_.begin() ? by_address_.end() : std::prev(behind);
  const bool has_behind = behind != by_address_.end(), has_before = before != by_address_.end();
  const Address before_end = has_before ? before->first + before->second.bytes : 0;
  ROAM_CHECK(before_end <= given.begin && (!has_behind || given.end() <= behind->first),
             "range %p + %zu is freed twice", given.pointer(), given.bytes);
  const bool joins_behind = has_behind && given.end() == behind->first;
  const bool joins_before = has_before && before_end == given.begin;
  if (joins_behind) range.bytes += behind->second.bytes;
  if (joins_before) range = Range{before->first, before->second.bytes + range.bytes};
  if (joins_behind && joins_before) remove(behind);
  if (joins_before || joins_behind) {
    change(joins_before ? before : behind, range, ++inserted_);
  } else {
    add(range, ++inserted_);
  }
}

std::optional<Range> FreeRanges::take(std::size_t bytes) {
  const auto it = by_size_.lower_bound({bytes, 0});
  if (it == by_size_.end()) return std::nullopt;
  const Range taken{it->second, bytes};
  cut(taken);
  return taken;
}

std::optional<Range> FreeRanges::take_last(std::size_t bytes) {
  const auto it = by_size_.lower_bound({bytes, 0});
  if (it == by_size_.end()) return std::nullopt;
  const Range taken{it->second + it->first - bytes, bytes};
  cut(taken);
  return taken;
}

bool FreeRanges::cut(Range range) {
  const auto it = find(range.begin);
  if (it == by_address_.end()) return false;
  const Range found{it->first, it->second.bytes};
  if (found.end() < range.end()) return false;
  const std::uint64_t born = it->second.born;
  const Range before{found.begin, range.begin - found.begin};
  const Range behind{range.end(), found.end() - range.end()};
  if (before.bytes == 0 && behind.bytes == 0) {
    remove(it);
  } else {
    // What may fail comes first.
    if (before.bytes != 0 && behind.bytes != 0) add(behind, born);
    change(it, before.bytes != 0 ? before : behind, born);
  }
  return true;
}

FreeRanges::ByAddress::const_iterator FreeRanges::find(Address a) const {
  auto it = by_address_.upper_bound(a);
  if (it == by_address_.begin()) return by_address_.end();
  --it;
  return a - it->first < it->second.bytes ? it : by_address_.end();
}

Range FreeRanges::holding(Address a) const {
  const auto it = find(a);
  return it != by_address_.end() ? Range{it->first, it->second.bytes} : Range{};
}

std::vector<Range> FreeRanges::shorter_than(std::size_t bytes) const {
  std::vector<Range> shorter;
  for (const auto& [size, begin] : by_size_) {
    if (size >= bytes) break;
    shorter.push_back({begin, size});
  }
  return shorter;
}

std::vector<Range> FreeRanges::by_age() const {
  std::vector<std::pair<std::uint64_t, Range>> aged;
  for (const auto& [begin, free] : by_address_) aged.push_back({free.born, {begin, free.bytes}});
  std::sort(aged.begin(), aged.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Range> ranges;
  for (const auto& [born, range] : aged) ranges.push_back(range);
  return ranges;
}

}  // namespace roam::iso
