#include "runtime/check/own_mappings.h"

#include <algorithm>

namespace roam::runtime {
namespace {

Range between(Address begin, Address end) { return {begin, end > begin ? end - begin : 0}; }

void push(std::vector<Range>& ranges, Range range) {
  if (range.bytes != 0) ranges.push_back(range);
}

Range range_of(Range range) { return range; }
Range range_of(const os::Mapping& mapping) { return mapping.range; }

// `taken` is by address; the result too.
template <class List>
std::vector<Range> without(Range range, const List& taken) {
  std::vector<Range> rest;
  Address begin = range.begin;
  for (const auto& one : taken) {
    const Range other = range_of(one);
    if (other.end() <= begin) continue;
    if (other.begin >= range.end()) break;
    push(rest, between(begin, other.begin));
    begin = other.end();
  }
  push(rest, between(begin, range.end()));
  return rest;
}

void sort(std::vector<Range>& ranges) {
  std::sort(ranges.begin(), ranges.end(), [](Range a, Range b) { return a.begin < b.begin; });
}

}  // namespace

void OwnMappings::add_new(const std::vector<os::Mapping>& before,
                          const std::vector<os::Mapping>& after) {
  std::vector<Range> found;
  for (const os::Mapping& mapping : after) {
    if (!mapping.writable || mapping.name == "[heap]" || mapping.name == "[stack]") continue;
    for (const Range& fresh : without(mapping.range, before)) {
      for (const Range& unknown : rest_of(fresh)) found.push_back(unknown);
    }
  }
  ranges_.insert(ranges_.end(), found.begin(), found.end());
  sort(ranges_);
}

void OwnMappings::forget_unmapped(const std::vector<os::Mapping>& now) {
  std::vector<Range> left;
  for (const Range& range : ranges_) {
    for (const os::Mapping& mapping : now) {
      push(left, between(std::max(range.begin, mapping.range.begin),
                         std::min(range.end(), mapping.range.end())));
    }
  }
  ranges_ = std::move(left);
}

std::vector<Range> OwnMappings::rest_of(Range range) const { return without(range, ranges_); }

}  // namespace roam::runtime
