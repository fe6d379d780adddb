#include "base/os/page_scan.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include "base/check.h"
#include "base/ranges.h"

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

// Which pages are visited: those that are of all categories `all`, and of any of `any`, if there
// are some; and what is told of them.
struct Wanted {
  std::uint64_t all, any, told;
};

// Calls `visit` with runs of `wanted` pages, and what each is: in order and apart, but for pages
// that are written while this goes on, which are visited once more, wherever that is.
template <class Visit>
bool scan(Range range, std::uint64_t flags, const Wanted& wanted, Visit visit) {
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
                            wanted.all,
                            wanted.any,
                            wanted.told};
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

// The kernel tells what is written, and no more, seven times as fast: it looks at entries only, not
// at pages. A run takes two calls more.
constexpr std::size_t kLongRun = 1 << 20;
// So many that have been written may be what was mapped anew, and is not there.
constexpr std::size_t kManyWritten = kLongRun;

// Of a run whose pages were all there when they were protected last.
bool protect_known(Range run, std::vector<Range>* clean, std::vector<Range>* written,
                   std::vector<Range>* present) {
  std::vector<Range> found;
  if (!scan(run, kProtectMatching, {kWritten, 0, kWritten},
            [&](Range part, std::uint64_t) { append(&found, part); }))
    return false;
  written->insert(written->end(), found.begin(), found.end());
  found = joined(std::move(found));
  const std::vector<Range> left = without({run}, found);
  clean->insert(clean->end(), left.begin(), left.end());
  std::vector<Range> doubtful;
  for (const Range& part : found) {
    if (part.bytes >= kManyWritten) doubtful.push_back(part);
  }
  for (const Range& part : without({run}, doubtful)) append(present, part);
  return std::all_of(doubtful.begin(), doubtful.end(),
                     [present](Range part) { return find_present_pages(part, present); });
}

// Runs that touch are one.
class Joined {
 public:
  explicit Joined(const std::function<void(Range)>& run) : run_(run) {}
  ~Joined() {
    if (last_.bytes != 0) run_(last_);
  }
  void add(Range range) {
    if (last_.bytes != 0 && last_.end() == range.begin) {
      last_.bytes += range.bytes;
      return;
    }
    if (last_.bytes != 0) run_(last_);
    last_ = range;
  }

 private:
  const std::function<void(Range)>& run_;
  Range last_{0, 0};
};

void ask_object(Range range, int fd, std::size_t offset, Joined* found) {
  const off_t end = static_cast<off_t>(offset + range.bytes);
  off_t at = static_cast<off_t>(offset);
  while (at < end) {
    const off_t data = lseek(fd, at, SEEK_DATA);
    if (data < 0 || data >= end) {
      ROAM_CHECK(data >= 0 || errno == ENXIO, "lseek(SEEK_DATA) on the arena: %s",
                 std::strerror(errno));
      return;
    }
    off_t hole = lseek(fd, data, SEEK_HOLE);
    ROAM_CHECK(hole > data, "lseek(SEEK_HOLE) on the arena: %s", std::strerror(errno));
    hole = std::min(hole, end);
    found->add(Range{range.begin + static_cast<std::size_t>(data) - offset,
                     static_cast<std::size_t>(hole - data)});
    at = hole;
  }
}

// What of `all`, in order and apart, lies in `range`.
std::vector<Range> within(Range range, const std::vector<Range>& all) {
  std::vector<Range> parts;
  auto at = std::upper_bound(all.begin(), all.end(), range.begin,
                             [](Address a, const Range& r) { return a < r.end(); });
  for (; at != all.end() && at->begin < range.end(); ++at) {
    const Address begin = std::max(at->begin, range.begin);
    parts.push_back({begin, std::min(at->end(), range.end()) - begin});
  }
  return parts;
}

// The object takes 0.2 us for each of its pages, page tables a tenth of that.
constexpr std::size_t kPagesOfAGap = 16;  // on average, or the object alone is asked

// The one that is chosen, of a file that has all choices, such as "always [never]".
std::string chosen_in(const std::string& path) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    if (word.size() > 2 && word.front() == '[') return word.substr(1, word.size() - 2);
  }
  return {};
}

}  // namespace

// Looked up each time: administrators change the machine.
bool shared_pages_may_be_huge() {
  const std::string folder = "/sys/kernel/mm/transparent_hugepage/";
  const auto allowed = [](const std::string& choice) {
    return !choice.empty() && choice != "never" && choice != "deny" && choice != "inherit";
  };
  if (allowed(chosen_in(folder + "shmem_enabled"))) return true;
  for (int kib = 8; kib <= 1 << 20; kib *= 2) {
    if (allowed(chosen_in(folder + "hugepages-" + std::to_string(kib) + "kB/shmem_enabled")))
      return true;
  }
  return false;
}

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
  return scan(range, 0, {0, kPresent, kPresent},
              [found](Range run, std::uint64_t) { append(found, run); });
}

bool protect_pages(Range range, const std::vector<Range>& known, std::vector<Range>* clean,
                   std::vector<Range>* written, std::vector<Range>* present) {
  const auto look = [&](Range part) {
    return part.bytes == 0 ||
           scan(part, kProtectMatching, {0, kPresent | kSwapped, kWritten | kPresent | kSwapped},
                [&](Range run, std::uint64_t is) {
                  if ((is & kPresent) != 0) append(present, run);
                  if ((is & kWritten) != 0)
                    append(written, run);
                  else if ((is & kPresent) != 0)
                    append(clean, run);
                });
  };
  const bool asks_all = shared_pages_may_be_huge();
  Address at = range.begin;
  for (const Range& run : known) {
    if (asks_all || run.bytes < kLongRun) continue;
    if (!look({at, run.begin - at}) || !protect_known(run, clean, written, present)) return false;
    at = run.end();
  }
  return look({at, range.end() - at});
}

void for_each_present_of(Range range, int fd, std::size_t offset, const std::vector<Range>& mapped,
                         const std::function<void(Range)>& run) {
  Joined found(run);
  std::vector<Range> own = within(range, mapped);
  if (own.size() > range.bytes / kPageBytes / kPagesOfAGap) own.clear();
  Address at = range.begin;
  for (const Range& part : own) {
    if (at < part.begin) ask_object({at, part.begin - at}, fd, offset + (at - range.begin), &found);
    found.add(part);
    at = part.end();
  }
  if (at < range.end()) ask_object({at, range.end() - at}, fd, offset + (at - range.begin), &found);
}

}  // namespace roam::os
