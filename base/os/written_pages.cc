#include "base/os/written_pages.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <mutex>
#include <string>
#include <utility>

#include "base/os/devices.h"
#include "base/os/page_scan.h"
#include "base/ranges.h"

namespace roam::os {
namespace {

constexpr std::uint64_t kUserModeOnly = 1;        // UFFD_USER_MODE_ONLY
constexpr std::uint64_t kAsynchronous = 1 << 15;  // UFFD_FEATURE_WP_ASYNC
constexpr std::uint64_t kUnpopulated = 1 << 13;   // UFFD_FEATURE_WP_UNPOPULATED
constexpr std::uint64_t kSharedMemory = 1 << 12;  // UFFD_FEATURE_WP_HUGETLBFS_SHMEM
constexpr std::size_t kMostDiscards = 64 << 10;   // between two

// Memory of several processes can be swapped, moved to slower memory, which tries to swap it where
// that has no room, or be made of huge pages: then the entries of page tables that say what a
// process has written go, with no trace.
bool entries_can_go() {
  std::ifstream swaps("/proc/swaps");
  if (!swaps && access("/proc/swaps", F_OK) == 0) return true;  // it is not told
  std::string line;
  if (std::getline(swaps, line) && std::getline(swaps, line)) return true;
  std::ifstream demotion("/sys/kernel/mm/numa/demotion_enabled");
  if (demotion >> line && line != "false" && line != "0") return true;
  return shared_pages_may_be_huge();
}

bool by_begin(Range a, Range b) { return a.begin < b.begin; }

// Those of `ranges`, in order and apart, that begin in `part`; `*at` goes on to the first behind.
std::vector<Range> those_in(Range part, const std::vector<Range>& ranges, std::size_t* at) {
  std::vector<Range> found;
  for (; *at < ranges.size() && ranges[*at].begin < part.end(); ++*at) found.push_back(ranges[*at]);
  return found;
}

}  // namespace

// Looked up each time: programs open devices, and administrators change the machine.
bool WrittenPages::can_watch() const {
  return !devices_may_write() && !(others_ && entries_can_go());
}

bool WrittenPages::begin(Range range, bool others) {
  end();
  others_ = others;
  range_ = range;
  present_.clear();
  if (watched.load(std::memory_order_acquire) != nullptr || !can_watch()) return false;
  userfault_ =
      static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | int{kUserModeOnly}));
  uffdio_api api{UFFD_API, kAsynchronous | kUnpopulated | kSharedMemory, 0};
  std::vector<Range> none;
  if (userfault_ >= 0 && ioctl(userfault_, UFFDIO_API, &api) == 0 && watch() &&
      find_present_pages(range_, &none)) {
    watched_.userfault = userfault_;
    watched_.room = kMostDiscards;
    watched_.next = 0;
    watched_.lists[0] =
        static_cast<Range*>(map_memory(2 * kMostDiscards * sizeof(Range)).pointer());
    if (watched_.lists[0] != nullptr) {
      watched_.lists[1] = watched_.lists[0] + kMostDiscards;
      const std::lock_guard hold(protecting);
      watched.store(&watched_, std::memory_order_release);
      return true;
    }
  }
  end();
  return false;
}

void WrittenPages::end() {
  if (watched_.lists[0] != nullptr) {
    {
      const std::lock_guard hold(protecting);
      watched.store(nullptr, std::memory_order_release);
    }
    unreserve({reinterpret_cast<Address>(watched_.lists[0]), 2 * watched_.room * sizeof(Range)});
    watched_.lists[0] = watched_.lists[1] = nullptr;
  }
  if (userfault_ >= 0) close(userfault_);
  userfault_ = -1;
}

// Again each time, for what was mapped since: protecting passes over what is not watched.
bool WrittenPages::watch() {
  uffdio_register all{{range_.begin, range_.bytes}, UFFDIO_REGISTER_MODE_WP, 0};
  return ioctl(userfault_, UFFDIO_REGISTER, &all) == 0;
}

// What was thrown away since the last time. False: it was too much to be noted.
bool WrittenPages::take_discarded(std::vector<Range>* written) {
  const bool second = (watched_.next.load() & Watched::kSecondList) != 0;
  const std::uint64_t taken = watched_.next.exchange(second ? 0 : Watched::kSecondList);
  const std::uint64_t count = taken & ~Watched::kSecondList;
  Range* list = watched_.lists[second];
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(count, watched_.room); ++i) {
    // Who has this place writes it just now.
    while (__atomic_load_n(&list[i].bytes, __ATOMIC_ACQUIRE) == 0) sched_yield();
    written->push_back(list[i]);
    list[i].bytes = 0;
  }
  return count <= watched_.room;
}

bool WrittenPages::protect(std::vector<Range>* clean, std::vector<Range>* written) {
  clean->clear();
  written->clear();
  knows_since_ = false;
  const std::vector<Range> before = std::exchange(present_, {});
  // What was mapped since the last time is watched from now on, and counts as written.
  std::vector<Range> discarded, present;
  bool known = false;
  {
    const std::lock_guard hold(protecting);
    known = watch() && protect_pages(range_, before, clean, written, &present);
  }
  known = known && can_watch();  // afterwards: nobody has begun meanwhile
  knows_since_ = known;
  if (!take_discarded(&discarded) || !known) return false;
  std::sort(discarded.begin(), discarded.end(), by_begin);
  // Of what was thrown away a page may be there again: the object knows.
  present_ = without(joined(std::move(present)), discarded);
  written->insert(written->end(), discarded.begin(), discarded.end());
  std::sort(written->begin(), written->end(), by_begin);
  return true;
}

bool WrittenPages::protect_parts(const std::vector<Range>& parts, std::vector<Range>* clean,
                                 std::vector<Range>* written) {
  clean->clear();
  written->clear();
  knows_since_ = false;
  const std::vector<Range> beside = without(present_, parts);
  const std::vector<Range> before = without(present_, beside);
  std::vector<Range> discarded, present;
  bool known = false;
  {
    const std::lock_guard hold(protecting);
    known = watch();
    std::size_t at = 0;
    for (const Range& part : parts)
      known = known && protect_pages(part, those_in(part, before, &at), clean, written, &present);
  }
  known = known && can_watch();
  knows_since_ = known;
  if (!take_discarded(&discarded) || !known) {
    present_.clear();
    return false;
  }
  std::sort(discarded.begin(), discarded.end(), by_begin);
  present.insert(present.end(), beside.begin(), beside.end());
  present_ = without(joined(std::move(present)), discarded);
  written->insert(written->end(), discarded.begin(), discarded.end());
  std::sort(written->begin(), written->end(), by_begin);
  return true;
}

}  // namespace roam::os
