#include "base/os/page_scan.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace roam::os {
namespace {

// Older headers do not have them.
struct Region {
  std::uint64_t begin, end, categories;
};
struct ScanArguments {
  std::uint64_t size, flags, begin, end, walked_to, regions, region_count, most_pages;
  std::uint64_t inverted, all_of, any_of, wanted;
};
constexpr unsigned long kScan = _IOWR('f', 16, ScanArguments);
constexpr std::uint64_t kProtectMatching = 1;  // PM_SCAN_WP_MATCHING
constexpr std::size_t kRegions = 4096;         // of one call
// Categories, as the kernel numbers them (PAGE_IS_*).
constexpr std::uint64_t kWritten = 1 << 1, kPresent = 1 << 3, kSwapped = 1 << 4;

void append(std::vector<Range>* to, Range range) {
  if (!to->empty() && to->back().end() == range.begin)
    to->back().bytes += range.bytes;
  else
    to->push_back(range);
}

// Calls `visit` with runs of pages that are of any of the categories `any`, and what each is of
// `told`: in order and apart, but for pages that are written while this goes on, which are visited
// once more, wherever that is.
template <class Visit>
bool scan(Range range, std::uint64_t flags, std::uint64_t any, std::uint64_t told, Visit visit) {
  std::vector<Region> regions(std::min(kRegions, range.bytes / kPageBytes));
  Address told_up_to = range.begin;
  for (Address at = range.begin; at < range.end();) {
    ScanArguments arguments{sizeof(ScanArguments),
                            flags,
                            at,
                            range.end(),
                            0,
                            reinterpret_cast<std::uint64_t>(regions.data()),
                            regions.size(),
                            0,
                            0,
                            0,
                            any,
                            told};
    const int count = ioctl(page_map(), kScan, &arguments);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 || arguments.walked_to <= at) return false;
    for (int i = 0; i < count; ++i) {
      // A call that goes on where a full list ended says some pages twice. One that has been
      // written between the two was protected anew, and nobody else will say so.
      const Region& region = regions[static_cast<std::size_t>(i)];
      const bool again = region.begin < told_up_to && (region.categories & kWritten) != 0;
      const Address begin = again ? region.begin : std::max<Address>(region.begin, told_up_to);
      if (begin >= region.end) continue;
      visit(Range{begin, region.end - begin}, region.categories);
      told_up_to = std::max<Address>(told_up_to, region.end);
    }
    // Where the list is not full, all was walked through, whatever it says (Linux 6.18).
    at = static_cast<std::size_t>(count) < regions.size() ? range.end() : arguments.walked_to;
  }
  return true;
}

}  // namespace

int page_map() {
  static int pagemap = -1;
  static pid_t opened_by = 0;  // a child of fork has that of its parent
  if (opened_by != getpid()) {
    pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    opened_by = getpid();
  }
  return pagemap;
}

bool find_present_pages(Range range, std::vector<Range>* found) {
  return scan(range, 0, kPresent, kPresent,
              [found](Range run, std::uint64_t) { append(found, run); });
}

bool protect_pages(Range range, std::vector<Range>* clean, std::vector<Range>* written) {
  return scan(range, kProtectMatching, kPresent | kSwapped, kWritten | kPresent | kSwapped,
              [&](Range run, std::uint64_t is) {
                if ((is & kWritten) != 0)
                  append(written, run);
                else if ((is & kPresent) != 0)
                  append(clean, run);
              });
}

}  // namespace roam::os
