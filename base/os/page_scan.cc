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

bool scan_pages(Range range, const WantedPages& wanted, bool protect, std::vector<Range>* found) {
  std::vector<Region> regions(std::min(kRegions, range.bytes / kPageBytes));
  const std::size_t before = found->size();
  for (Address at = range.begin; at < range.end();) {
    ScanArguments arguments{sizeof(ScanArguments),
                            protect ? kProtectMatching : 0,
                            at,
                            range.end(),
                            0,
                            reinterpret_cast<std::uint64_t>(regions.data()),
                            regions.size(),
                            0,
                            wanted.inverted,
                            wanted.all,
                            wanted.any,
                            wanted.all | wanted.any};
    const int count = ioctl(page_map(), kScan, &arguments);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 || arguments.walked_to <= at) return false;
    for (int i = 0; i < count; ++i) {
      // A call that goes on where a full list ended says some pages twice.
      const Region& region = regions[static_cast<std::size_t>(i)];
      const bool first = found->size() == before;
      const Address begin = std::max<Address>(region.begin, first ? 0 : found->back().end());
      if (begin >= region.end) continue;
      if (!first && found->back().end() == begin)
        found->back().bytes += region.end - begin;
      else
        found->push_back({begin, region.end - begin});
    }
    at = arguments.walked_to;
  }
  return true;
}

}  // namespace roam::os
