#ifndef ROAM_ISOMALLOC_HUGE_PAGES_H_
#define ROAM_ISOMALLOC_HUGE_PAGES_H_

#include <cstddef>

#include "base/range.h"

namespace roam::iso {

// Which ranges of the arena have new memory made of huge pages in this rank's mapping, where the
// kernel and ROAM_HUGE allow it. Each range costs two mappings, so only so many are set. Context:
// the rank's kernel thread.
class HugePages {
 public:
  // `option` as Options::huge.
  void set_option(int option);
  // None of `whole` has any.
  void start(Range whole);

  void prefer(Range range);
  void give_up(Range range);
  // For a range that was preferred as `old` and is `fresh` now. REQUIRES: both begin at one address
  // and hold a whole huge page.
  void resize(Range old, Range fresh);

 private:
  bool allowed_ = false;
  std::size_t ranges_ = 0;
};

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_HUGE_PAGES_H_
