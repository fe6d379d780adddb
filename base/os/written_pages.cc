#include "base/os/written_pages.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace roam::os {
namespace {

// As the kernel has them since 6.7; older headers do not.
struct Region {
  std::uint64_t begin, end, categories;
};
struct ScanArguments {
  std::uint64_t size, flags, begin, end, walked_to, regions, region_count, most_pages;
  std::uint64_t inverted, all_of, any_of, wanted;
};
constexpr unsigned long kScan = _IOWR('f', 16, ScanArguments);
constexpr std::uint64_t kProtectMatching = 1;                  // PM_SCAN_WP_MATCHING
constexpr std::uint64_t kWritten = 1 << 1, kPresent = 1 << 3;  // PAGE_IS_*
constexpr std::uint64_t kUserModeOnly = 1;                     // UFFD_USER_MODE_ONLY
constexpr std::uint64_t kAsynchronous = 1 << 15;               // UFFD_FEATURE_WP_ASYNC
constexpr std::uint64_t kUnpopulated = 1 << 13;                // UFFD_FEATURE_WP_UNPOPULATED
constexpr std::uint64_t kSharedMemory = 1 << 12;               // UFFD_FEATURE_WP_HUGETLBFS_SHMEM
constexpr std::size_t kRegions = 4096;                         // of one call
constexpr std::size_t kMostDiscards = 64 << 10;                // between two

bool has_entries(const char* path) {
  DIR* folder = opendir(path);
  if (folder == nullptr) return false;
  bool found = false;
  while (const dirent* entry = readdir(folder)) found = found || entry->d_name[0] != '.';
  closedir(folder);
  return found;
}

}  // namespace

bool WrittenPages::begin(Range range) {
  end();
  // Adapters keep memory pinned in which they have once received, and write past its page tables.
  // XPMEM has processes write through page tables of their own.
  if (has_entries("/sys/class/infiniband") || has_entries("/sys/class/cxi") ||
      access("/dev/xpmem", F_OK) == 0)
    return false;
  range_ = range;
  userfault_ =
      static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | int{kUserModeOnly}));
  pagemap_ = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  uffdio_api api{UFFD_API, kAsynchronous | kUnpopulated | kSharedMemory, 0};
  std::vector<Range> none;
  if (userfault_ >= 0 && pagemap_ >= 0 && ioctl(userfault_, UFFDIO_API, &api) == 0 && watch() &&
      scan(0, 0, &none)) {
    watched_.userfault = userfault_;
    watched_.room = kMostDiscards;
    watched_.discarded = static_cast<Range*>(map_memory(kMostDiscards * sizeof(Range)).pointer());
    watched_.count = 0;
    if (watched_.discarded != nullptr) {
      watched.store(&watched_, std::memory_order_release);
      return true;
    }
  }
  end();
  return false;
}

void WrittenPages::end() {
  if (watched_.discarded != nullptr) {
    watched.store(nullptr, std::memory_order_release);
    unreserve({reinterpret_cast<Address>(watched_.discarded), watched_.room * sizeof(Range)});
    watched_.discarded = nullptr;
  }
  if (userfault_ >= 0) close(userfault_);
  if (pagemap_ >= 0) close(pagemap_);
  userfault_ = pagemap_ = -1;
}

// Again each time: what was mapped since is not watched yet.
bool WrittenPages::watch() {
  uffdio_register all{{range_.begin, range_.bytes}, UFFDIO_REGISTER_MODE_WP, 0};
  return ioctl(userfault_, UFFDIO_REGISTER, &all) == 0;
}

// Pages that exist, and are written, or are not if that is `inverted`.
bool WrittenPages::scan(std::uint64_t flags, std::uint64_t inverted, std::vector<Range>* found) {
  std::vector<Region> regions(kRegions);
  for (Address at = range_.begin; at < range_.end();) {
    ScanArguments arguments{
        sizeof(ScanArguments), flags, at,
        range_.end(),          0,     reinterpret_cast<std::uint64_t>(regions.data()),
        regions.size(),        0,     inverted,
        kWritten | kPresent,   0,     kWritten | kPresent};
    const int count = ioctl(pagemap_, kScan, &arguments);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 || arguments.walked_to <= at) return false;
    for (int i = 0; i < count; ++i) {
      // A call that goes on where a full list ended says some pages twice.
      const Region& region = regions[static_cast<std::size_t>(i)];
      const Address begin =
          std::max<Address>(region.begin, found->empty() ? 0 : found->back().end());
      if (begin >= region.end) continue;
      if (!found->empty() && found->back().end() == begin)
        found->back().bytes += region.end - begin;
      else
        found->push_back({begin, region.end - begin});
    }
    at = arguments.walked_to;
  }
  return true;
}

bool WrittenPages::protect(std::vector<Range>* clean, std::vector<Range>* written) {
  clean->clear();
  written->clear();
  // What is not watched counts as written always: it is asked for a second time, since protecting
  // passes over it.
  std::vector<Range> not_watched;
  if (!scan(0, kWritten, clean) || !scan(kProtectMatching, 0, written) ||
      !scan(0, 0, &not_watched) || !watch())
    return false;
  const std::size_t discards = watched_.count.load(std::memory_order_acquire);
  if (discards > watched_.room) {
    watched_.count = 0;
    return false;
  }
  written->insert(written->end(), not_watched.begin(), not_watched.end());
  written->insert(written->end(), watched_.discarded, watched_.discarded + discards);
  std::sort(written->begin(), written->end(), [](Range a, Range b) { return a.begin < b.begin; });
  watched_.count.store(0, std::memory_order_release);
  return true;
}

}  // namespace roam::os
