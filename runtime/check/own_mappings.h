#ifndef ROAM_RUNTIME_CHECK_OWN_MAPPINGS_H_
#define ROAM_RUNTIME_CHECK_OWN_MAPPINGS_H_

#include <vector>

#include "base/os/mappings.h"
#include "base/range.h"

namespace roam::runtime {

// Memory that no thread of the program means, whatever its words look like: what the dynamic linker
// mapped before the program's first constructor, and what the runtime and MPI mapped while they
// started. MPI's mappings have gigabytes, so that many a random word lies in one.
class OwnMappings {
 public:
  // What is writable in `after`, and was nowhere in `before`. Not the heap and the stack.
  void add_new(const std::vector<os::Mapping>& before, const std::vector<os::Mapping>& after);
  // What is gone from `now` may be the program's when it is mapped again.
  void forget_unmapped(const std::vector<os::Mapping>& now);
  // The parts of `range` that are none of these, in the order of their addresses.
  std::vector<Range> rest_of(Range range) const;

 private:
  std::vector<Range> ranges_;  // by address; no two overlap
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECK_OWN_MAPPINGS_H_
