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

// What is noted of discarded memory. Never unmapped, and there from one watch to the next: a kernel
// thread may be about to write a note when the watch ends.
Watched notes;
pid_t notes_of = 0;

// What was thrown away since the last time. False: it was too much to be noted.
bool take_discarded(std::vector<Range>* written) {
  const bool second = (notes.next.load() & Watched::kSecondList) != 0;
  const std::uint64_t taken = notes.next.exchange(second ? 0 : Watched::kSecondList);
  const std::uint64_t count = taken & ~Watched::kSecondList;
  Range* list = notes.lists[second];
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(count, notes.room); ++i) {
    // Who has this place writes it just now.
    while (__atomic_load_n(&list[i].bytes, __ATOMIC_ACQUIRE) == 0) sched_yield();
    written->push_back(list[i]);
    list[i].bytes = 0;
  }
  return count <= notes.room;
}

// Room for notes, and none in it, nor on its way. False: there is no memory.
bool prepare_notes() {
  if (notes_of == getpid()) {
    std::vector<Range> old;
    take_discarded(&old);
    return true;
  }
  // In a child of fork nobody completes what its parent's kernel threads had begun.
  const Range memory = map_memory(2 * kMostDiscards * sizeof(Range));
  if (memory.bytes == 0) return false;
  notes.lists[0] = static_cast<Range*>(memory.pointer());
  notes.lists[1] = notes.lists[0] + kMostDiscards;
  notes.room = kMostDiscards;
  notes.next = 0;
  notes_of = getpid();
  return true;
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
      find_present_pages(range_, &none) && prepare_notes()) {
    const std::lock_guard hold(protecting);
    notes.userfault = userfault_;
    watched.store(&notes, std::memory_order_release);
    return true;
  }
  end();
  return false;
}

void WrittenPages::end() {
  if (userfault_ < 0) return;
  {
    // Who begins while another one watches does not get as far as a descriptor.
    const std::lock_guard hold(protecting);
    watched.store(nullptr, std::memory_order_release);
  }
  close(userfault_);
  userfault_ = -1;
}

// Again each time, for what was mapped since: protecting passes over what is not watched.
bool WrittenPages::watch() {
  uffdio_register all{{range_.begin, range_.bytes}, UFFDIO_REGISTER_MODE_WP, 0};
  return ioctl(userfault_, UFFDIO_REGISTER, &all) == 0;
}

bool WrittenPages::protect(std::vector<Range>* clean, std::vector<Range>* written) {
  return protect_parts({range_}, clean, written);
}

bool WrittenPages::protect_parts(const std::vector<Range>& parts, std::vector<Range>* clean,
                                 std::vector<Range>* written) {
  clean->clear();
  written->clear();
  knows_since_ = false;
  std::vector<Range> beside = without(present_, parts);
  const std::vector<Range> before = without(std::exchange(present_, {}), beside);
  std::vector<Range> discarded, present;
  // What was mapped since the last time is watched from now on, and counts as written.
  const auto look = [&](const std::vector<Range>& known) {
    const std::lock_guard hold(protecting);
    if (!watch()) return false;
    std::size_t at = 0;
    return std::all_of(parts.begin(), parts.end(), [&](Range part) {
      return protect_pages(part, those_in(part, known, &at), clean, written, &present);
    });
  };
  bool known = look(before);
  known = known && can_watch();  // afterwards: nobody has begun meanwhile
  const bool noted = take_discarded(&discarded);
  // Nothing lies behind page tables that are this process's own: a page that is gone has no entry,
  // and one that has come back was not protected. What was written is in `written` already.
  if (known && !noted && !others_) {
    clean->clear();
    present.clear();
    beside.clear();
    known = look({});
  }
  knows_since_ = known;
  if (!known || (!noted && others_)) return false;
  std::sort(discarded.begin(), discarded.end(), by_begin);
  // Of what was thrown away a page may be there again: the object knows.
  present.insert(present.end(), beside.begin(), beside.end());
  present_ = without(joined(std::move(present)), discarded);
  written->insert(written->end(), discarded.begin(), discarded.end());
  std::sort(written->begin(), written->end(), by_begin);
  return true;
}

}  // namespace roam::os
