#ifndef ROAM_BASE_RANGES_H_
#define ROAM_BASE_RANGES_H_

#include <cstddef>
#include <vector>

#include "base/range.h"

// Sets of addresses, as lists of ranges.
namespace roam {

// In order and apart, touching ones joined, whatever the order of `all` is.
std::vector<Range> joined(std::vector<Range> all);

// Of all together.
inline std::size_t bytes_of(const std::vector<Range>& ranges) {
  std::size_t sum = 0;
  for (const Range& range : ranges) sum += range.bytes;
  return sum;
}

// What is in `from`, in order, and not in `taken`, in order of begin, which may overlap.
std::vector<Range> without(const std::vector<Range>& from, const std::vector<Range>& taken);

}  // namespace roam

#endif  // ROAM_BASE_RANGES_H_
