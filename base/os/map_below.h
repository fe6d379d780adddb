#ifndef ROAM_BASE_OS_MAP_BELOW_H_
#define ROAM_BASE_OS_MAP_BELOW_H_

#include <vector>

#include "base/range.h"

namespace roam::os {

// While one lives, the kernel maps what may lie anywhere right below `end`: it takes the highest
// hole that is large enough, and those above are filled with memory that cannot be used. Not under
// `ulimit -s unlimited`, where it takes the lowest. Other kernel threads map there too meanwhile;
// and where one unmaps something just then, there is a hole again: look where it came to lie.
class MapBelow {
 public:
  explicit MapBelow(Address end);
  ~MapBelow();
  MapBelow(const MapBelow&) = delete;
  MapBelow& operator=(const MapBelow&) = delete;

 private:
  bool fill(Address end);
  std::vector<Range> filled_;
};

}  // namespace roam::os

#endif  // ROAM_BASE_OS_MAP_BELOW_H_
