#ifndef ROAM_BASE_RANGES_H_
#define ROAM_BASE_RANGES_H_

#include <vector>

#include "base/range.h"

// Sets of addresses, as lists of ranges.
namespace roam {

// In order and apart, touching ones joined, whatever the order of `all` is.
std::vector<Range> joined(std::vector<Range> all);

// What is in `from`, in order, and not in `taken`, in order of begin, which may overlap.
std::vector<Range> without(const std::vector<Range>& from, const std::vector<Range>& taken);

}  // namespace roam

#endif  // ROAM_BASE_RANGES_H_
