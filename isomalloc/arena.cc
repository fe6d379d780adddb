#include "isomalloc/arena.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>

#include "base/check.h"
#include "base/os/give_core.h"
#include "base/os/memory.h"
#include "base/text.h"
#include "roam/error.h"

namespace roam::iso {
namespace {

// Leases that are open cost two mappings each, and a process may have 65,530.
constexpr std::size_t kMostLeases = 8192;
// The same for ranges of huge pages.
constexpr std::size_t kMostHugeRanges = 4096;
constexpr std::size_t kLeastLeaseBytes = 1 << 20;
// What is opened at once of a lease of another node: its page table is one page.
constexpr std::size_t kMostChunkBytes = 2 << 20;
// Below each slot, so that a frame that is larger than the guard does not reach another's stack.
constexpr std::size_t kMostFenceBytes = 1 << 20;
constexpr std::size_t kSlotsWithFence = std::size_t{1} << 17;

// What is mapped inside `range`, for the message.
std::string what_is_there(Range range) {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    unsigned long begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) == 2 && begin < range.end() &&
        end > range.begin) {
      return line;
    }
  }
  return "";
}

std::string why_not_reserved(Range range, int error) {
  std::string why = text("cannot reserve the arena, %s from %p: ", bytes_text(range.bytes).c_str(),
                         range.pointer());
  rlimit limit{};
  getrlimit(RLIMIT_AS, &limit);
  if (error == EEXIST) {
    why += "another mapping is there (" + what_is_there(range) +
           "). Choose another place with ROAM_ARENA=BASE,SIZE.";
  } else if (limit.rlim_cur != RLIM_INFINITY) {
    why += text(
        "%s. The address space is limited to %s (ulimit -v): raise it, or make the arena smaller "
        "with "
        "ROAM_ARENA=BASE,SIZE.",
        std::strerror(error), bytes_text(limit.rlim_cur).c_str());
  } else {
    why += text("%s. Make it smaller with ROAM_ARENA=BASE,SIZE.", std::strerror(error));
  }
  return why;
}

// Whether memory outside the arena is made of huge pages too, without being asked.
bool huge_pages_are_usual() {
  std::string words;
  std::getline(std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled"), words);
  return words.find("[always]") != std::string::npos;
}

// The part of `range` that huge pages can fill; empty if there is none.
Range whole_huge_pages(Range range) {
  const Address begin = round_up(range.begin, kHugePageBytes);
  const Address end = round_down(range.end(), kHugePageBytes);
  return begin < end ? Range{begin, end - begin} : Range{};
}

// Tables and memory of the arena that the kernel refuses, with errno.
[[noreturn]] void no_data(const std::string& what) {
  const int error = errno;
  rlimit limit{};
  getrlimit(RLIMIT_DATA, &limit);
  std::string cure = "Make the arena smaller with ROAM_ARENA=BASE,SIZE.";
  if (limit.rlim_cur != RLIM_INFINITY)
    cure += text(" Data is limited to %s (ulimit -d).", bytes_text(limit.rlim_cur).c_str());
  throw Error(Errc::out_of_memory,
              text("cannot %s: %s. %s", what.c_str(), std::strerror(error), cure.c_str()));
}

// Zeroed memory of the process, used as it is touched.
std::uint64_t* map_bits(std::size_t bytes) {
  void* bits = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (bits == MAP_FAILED)
    no_data(text("map %s of tables for the arena", bytes_text(bytes).c_str()));
  os::exclude_from_core(Range{reinterpret_cast<Address>(bits), bytes});  // up to 3 GiB, sparse
  return static_cast<std::uint64_t*>(bits);
}

}  // namespace

constinit Range heap_region{};

constinit Arena the_arena;

void Arena::reserve(const Options& options) {
  if (reserved_) return;
  whole_ = Range{options.arena_base, options.arena_bytes};
  memory_limit_ = options.memory_bytes;
  if (!options.guards.empty() &&
      !os::set_guards(options.guards == "madvise"    ? os::Guards::kByAdvice
                      : options.guards == "mprotect" ? os::Guards::kByMprotect
                                                     : os::Guards::kNone)) {
    throw Error(
        Errc::bad_option,
        "ROAM_GUARDS=madvise: this kernel has no MADV_GUARD_INSTALL for shared memory, which "
        "came with Linux 6.15. Allowed are mprotect and none.");
  }
  huge_allowed_ = options.huge == 1 || (options.huge == 2 && huge_pages_are_usual());
  if (!os::reserve(whole_))
    throw Error(Errc::out_of_address_space, why_not_reserved(whole_, errno));
  reserved_ = true;
}

void Arena::set_ranks(int ranks) {
  const std::size_t want =
      std::max<std::size_t>(kMostLeases, std::size_t{16} * static_cast<std::size_t>(ranks));
  lease_bytes_ = std::max(kLeastLeaseBytes, std::bit_floor(whole_.bytes / want));
  const std::size_t room = round_up(whole_.bytes / kUnitBytes, kPageBytes) + kPageBytes +
                           kNodeRoomBytes + round_up(whole_.bytes / lease_bytes_, kPageBytes);
  control_ = Range{whole_.begin, round_up(room, lease_bytes_)};
  // A quarter for slots: 12 TiB of them are 9 million default stacks.
  const std::size_t all =
      control_.bytes < whole_.bytes ? (whole_.bytes - control_.bytes) / lease_bytes_ : 0;
  ROAM_CHECK(all >= kRegions, "ROAM_ARENA is too small: %zu leases of %zu bytes", all,
             lease_bytes_);
  const std::size_t slot_leases = std::max<std::size_t>(1, all / 4);
  const std::size_t heap_leases = (all - slot_leases) / 2;
  regions_[0] = Range{control_.end(), slot_leases * lease_bytes_};
  regions_[1] = Range{regions_[0].end(), heap_leases * lease_bytes_};
  regions_[2] = Range{regions_[1].end(), (all - slot_leases - heap_leases) * lease_bytes_};
  heap_region = regions_[1];
  chunk_bytes_ = std::min(kMostChunkBytes, lease_bytes_);
  // A fence a slot, of so many slots: where there are fewer addresses, it is smaller.
  fence_bytes_ =
      round_down(std::min(kMostFenceBytes, regions_[0].bytes / kSlotsWithFence), kUnitBytes);
}

void Arena::lay_out() {
  units_ = reinterpret_cast<std::atomic<std::uint8_t>*>(whole_.begin);
  node_ =
      reinterpret_cast<NodePage*>(whole_.begin + round_up(whole_.bytes / kUnitBytes, kPageBytes));
  if (!os::allow_access(control_)) {
    no_data(text("open %s of the arena for its unit map", bytes_text(control_.bytes).c_str()));
  }
  guarded_bytes_ = round_up(regions_[0].bytes / kUnitBytes / 8 + 8, kPageBytes);
  guarded_ = map_bits(guarded_bytes_);
  fenced_ = map_bits(guarded_bytes_);
  sealed_bytes_ = round_up(whole_.bytes / kUnitBytes / 8 + 8, kPageBytes);
  sealed_ = map_bits(sealed_bytes_);
  departures_bytes_ = round_up(whole_.bytes / kUnitBytes * sizeof(std::uint32_t), kPageBytes);
  departures_ = reinterpret_cast<std::uint32_t*>(map_bits(departures_bytes_));
  flags_ = reinterpret_cast<std::atomic<std::uint8_t>*>(static_cast<char*>(node_room()) +
                                                        kNodeRoomBytes);
  owned_.assign(whole_.bytes / lease_bytes_, 0);
  open_.assign(whole_.bytes / lease_bytes_, kClosed);
  chunks_bytes_ = round_up(whole_.bytes / chunk_bytes_ / 8 + 8, kPageBytes);
  chunks_ = map_bits(chunks_bytes_);
  os::set_huge_pages(whole_, false);  // stacks and small heaps would take 2 MiB each
  os::exclude_from_core(whole_);
  synced_ = 0;
  ready_ = true;
}

int Arena::create_shared() {
  const int fd = os::make_shared(whole_.bytes);
  if (fd < 0) {
    throw Error(Errc::system,
                text("cannot make shared memory for the arena: %s", std::strerror(errno)));
  }
  if (!os::map_shared(whole_, fd)) {
    const int error = errno;
    close(fd);
    throw Error(Errc::system, text("cannot map the arena: %s", std::strerror(error)));
  }
  fd_ = fd;
  lay_out();
  std::random_device random;
  const std::uint64_t value = (std::uint64_t{random()} << 32 | random()) | 1;
  node_->token.store(value, std::memory_order_release);
  return fd;
}

bool Arena::attach_shared(int pid, int fd, std::uint64_t token) {
  const int mine = ::open(text("/proc/%d/fd/%d", pid, fd).c_str(), O_RDWR | O_CLOEXEC);
  if (mine < 0) return false;
  // In another process-id namespace the number may name another process: only the token proves it.
  std::uint64_t there = 0;
  const std::size_t at = round_up(whole_.bytes / kUnitBytes, kPageBytes);
  if (pread(mine, &there, sizeof there, static_cast<off_t>(at)) != sizeof there || there != token ||
      !os::map_shared(whole_, mine)) {
    close(mine);
    return false;
  }
  fd_ = mine;
  lay_out();
  return true;
}

void Arena::use_private() {
  fd_ = -1;
  lay_out();
  if (memory_limit_ != 0) first_bytes_ = memory_used();
}

std::uint64_t Arena::token() const { return node_->token.load(std::memory_order_acquire); }

Range Arena::lease_range(const LeaseRun& run) const {
  return Range{region(run.region).begin + run.first * lease_bytes_, run.count * lease_bytes_};
}

void Arena::mark(Range range, UnitKind first) {
  for (Address a = range.begin + kUnitBytes; a < range.end(); a += kUnitBytes) {
    set_kind(a, UnitKind::kContinued);
  }
  set_kind(range.begin, first);
}

void Arena::unmark(Range range) {
  for (Address a = range.begin; a < range.end(); a += kUnitBytes) set_kind(a, UnitKind::kNone);
}

void Arena::leave(Range range, std::uint32_t departure) {
  for (Address a = range.begin; a < range.end(); a += kUnitBytes) {
    departures_[offset(a) / kUnitBytes] = departure;
    set_kind(a, static_cast<UnitKind>(leaving_));
  }
}

void Arena::keep(Range range, std::uint32_t departure) {
  for (Address a = range.begin; a < range.end(); a += kUnitBytes) {
    if (departures_[offset(a) / kUnitBytes] != departure) continue;
    std::uint8_t leaving = leaving_;
    unit(a).compare_exchange_strong(leaving, static_cast<std::uint8_t>(UnitKind::kKept));
  }
}

void Arena::evict(Range range) {
  const auto set = [this](Range run) {
    discard(run);
    unmark(run);
  };
  Range run{range.begin, 0};
  for (Address a = range.begin; a < range.end(); a += kUnitBytes) {
    auto kept = static_cast<std::uint8_t>(UnitKind::kKept);
    if (unit(a).compare_exchange_strong(kept, static_cast<std::uint8_t>(UnitKind::kEvicting))) {
      if (run.bytes == 0) run.begin = a;
      run.bytes += kUnitBytes;
    } else if (run.bytes != 0) {
      set(run);
      run.bytes = 0;
    }
  }
  if (run.bytes != 0) set(run);
}

Arena::Claimed Arena::claim(Range range) {
  bool all = true, some = false;
  for (Address a = range.begin; a < range.end(); a += kUnitBytes) {
    std::uint8_t seen = unit(a).load(std::memory_order_acquire);
    for (;;) {
      const UnitKind kind = static_cast<UnitKind>(seen);
      if (kind == UnitKind::kEvicting) {  // another rank is at it, in a system call
        os::give_core();
        seen = unit(a).load(std::memory_order_acquire);
        continue;
      }
      ROAM_CHECK(kind == UnitKind::kNone || is_away(kind),
                 "an image arrives at %p, where unit kind %d lives: addresses are not unique",
                 reinterpret_cast<void*>(a), seen);
      if (unit(a).compare_exchange_weak(seen, static_cast<std::uint8_t>(UnitKind::kContinued))) {
        (kind != UnitKind::kNone ? some : all) = kind != UnitKind::kNone;
        break;
      }
    }
  }
  unseal(range);
  return !some ? Claimed::kNothingKept : all ? Claimed::kAllKept : Claimed::kSomeKept;
}

Address Arena::range_begin(Address a) const {
  a = round_down(a, kUnitBytes);
  while (whole_.contains(a)) {
    const UnitKind here = kind(a);
    if (is_away(here)) return 0;
    switch (here) {
      case UnitKind::kNone:
        return 0;
      case UnitKind::kContinued:
      case UnitKind::kSlotHead:
        a -= kUnitBytes;
        break;
      default:
        return a;
    }
  }
  return 0;
}

void Arena::discard(Range range) { os::discard(range, shared(), fd_, offset(range.begin)); }

void Arena::note_missing_guard() {
  if (guards_missing_) return;
  guards_missing_ = true;
  if (os::guards() == os::Guards::kNone) return;  // said at start
  report(text("from now on stacks here may have no guard: %d are laid, and a process may have no "
              "more (Linux 6.15 has no such limit). An overflow of such a stack is not noticed.",
              os::kMprotectGuards)
             .c_str());
}

bool Arena::populate(Range range) {
  if (!memory_left(range.bytes)) {
    errno = ENOMEM;
    return false;
  }
  return os::populate(range, shared(), fd_, offset(range.begin));
}

void Arena::prefer_huge_pages(Range range) {
  const Range inside = whole_huge_pages(range);
  if (inside.bytes == 0 || !huge_allowed_ || huge_ranges_ >= kMostHugeRanges) return;
  huge_ranges_ += os::set_huge_pages(inside, true);
}

void Arena::resize_huge_pages(Range old, Range fresh) {
  const Range before = whole_huge_pages(old), now = whole_huge_pages(fresh);
  if (!huge_allowed_ || before.end() == now.end()) return;
  if (now.end() > before.end()) {
    os::set_huge_pages(Range{before.end(), now.end() - before.end()}, true);
  } else {
    os::set_huge_pages(Range{now.end(), before.end() - now.end()}, false);
  }
}

void Arena::prefer_small_pages(Range range) {
  const Range inside = whole_huge_pages(range);
  if (inside.bytes == 0 || !huge_allowed_) return;
  os::set_huge_pages(inside, false);
  if (huge_ranges_ > 0) --huge_ranges_;
}

void Arena::for_each_slot(const std::function<void(Address head_unit)>& visit) const {
  const Range slots = regions_[0];
  for (Address lease = slots.begin; lease < slots.end(); lease += lease_bytes_) {
    if (open_[lease_of(lease)] == kClosed) continue;
    for (Address unit = lease; unit < lease + lease_bytes_; unit += kUnitBytes) {
      if (kind(unit) == UnitKind::kSlotHead) visit(unit);
    }
  }
}

void Arena::release() {
  if (!reserved_) return;
  os::unreserve(whole_);
  if (guarded_ != nullptr) munmap(guarded_, guarded_bytes_);
  if (fenced_ != nullptr) munmap(fenced_, guarded_bytes_);
  if (chunks_ != nullptr) munmap(chunks_, chunks_bytes_);
  if (sealed_ != nullptr) munmap(sealed_, sealed_bytes_);
  if (departures_ != nullptr) munmap(departures_, departures_bytes_);
  if (fd_ >= 0) close(fd_);
  *this = Arena{};
  heap_region = Range{};
}

}  // namespace roam::iso
