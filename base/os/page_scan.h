#ifndef ROAM_BASE_OS_PAGE_SCAN_H_
#define ROAM_BASE_OS_PAGE_SCAN_H_

#include <cstdint>
#include <vector>

#include "base/range.h"

// What the page tables of this process say (PAGEMAP_SCAN, Linux 6.7 and later).
namespace roam::os {

// As the kernel numbers them (PAGE_IS_*).
inline constexpr std::uint64_t kPageIsWritten = 1 << 1, kPageIsPresent = 1 << 3,
                               kPageIsSwapped = 1 << 4;

// Pages of which all of `all` holds and any of `any`, where what is `inverted` holds if it does
// not.
struct WantedPages {
  std::uint64_t all = 0, any = 0, inverted = 0;
};

// Those of `range`, in order and apart, are appended to `found`; `protect`: they are protected too,
// where they are watched. False with errno: the kernel does not do that.
bool scan_pages(Range range, const WantedPages& wanted, bool protect, std::vector<Range>* found);

// /proc/self/pagemap, opened once; negative: it cannot be.
int page_map();

}  // namespace roam::os

#endif  // ROAM_BASE_OS_PAGE_SCAN_H_
