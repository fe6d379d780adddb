#include "base/os/memory.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

#include "base/check.h"
#include "base/os/guard_runs.h"
#include "base/os/laid_pages.h"
#include "base/os/page_scan.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace roam::os {

std::atomic<Watched*> watched{nullptr};
Lock protecting;

int fail_after = 0;

namespace {

// A child of fork has no page that is watched.
// Before leases.cc, which lays guards with its own lock held; after the locks of malloc.
[[gnu::constructor(102)]] void keep_protecting_over_fork() {
  keep_over_fork<protecting>();
  pthread_atfork(nullptr, nullptr, [] { watched.store(nullptr, std::memory_order_relaxed); });
}

bool injected_failure() {
  if (fail_after == 0 || --fail_after != 0) return false;
  errno = ENOMEM;
  return true;
}

// Past the program's own madvise (isomalloc/mapping_calls.cc), which comes to install_guard().
bool advise_guard(Range range) {
  return syscall(SYS_madvise, range.begin, range.bytes, MADV_GUARD_INSTALL) == 0;
}

bool probe_cheap_guards() {
  const int fd = memfd_create("roam-probe", MFD_CLOEXEC);
  if (fd < 0) return false;
  void* page = MAP_FAILED;
  if (ftruncate(fd, kPageBytes) == 0) {
    page = mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  close(fd);
  if (page == MAP_FAILED) return false;
  const bool works = advise_guard({reinterpret_cast<Address>(page), kPageBytes});
  munmap(page, kPageBytes);
  return works;
}

GuardRuns<kMprotectGuards> mprotect_guards;

Guards& chosen_guards() {
  static Guards chosen = probe_cheap_guards() ? Guards::kByAdvice : Guards::kByMprotect;
  return chosen;
}

// They count as written then. What was mapped since the last look is not watched, and has none.
// False: they may have it still. REQUIRES: `protecting` is held.
bool take_write_protection_away(Range range) {
  const Watched* watch = watched.load(std::memory_order_acquire);
  if (watch == nullptr) return true;
  uffdio_writeprotect none{{range.begin, range.bytes}, 0};
  if (ioctl(watch->userfault, UFFDIO_WRITEPROTECT, &none) == 0) return true;
  if (errno != ENOENT) return false;
  uffdio_register all{{range.begin, range.bytes}, UFFDIO_REGISTER_MODE_WP, 0};
  return ioctl(watch->userfault, UFFDIO_REGISTER, &all) == 0 &&
         ioctl(watch->userfault, UFFDIO_WRITEPROTECT, &none) == 0;
}

}  // namespace

void note_discarded(Range range) {
  if (range.bytes == 0) return;
  Watched* watch = watched.load(std::memory_order_acquire);
  if (watch == nullptr) return;
  const std::uint64_t next = watch->next.fetch_add(1, std::memory_order_acq_rel);
  const std::uint64_t at = next & ~Watched::kSecondList;
  if (at >= watch->room) return;
  Range& place = watch->lists[(next & Watched::kSecondList) != 0][at];
  place.begin = range.begin;
  __atomic_store_n(&place.bytes, range.bytes, __ATOMIC_RELEASE);
}

bool reserve(Range range) {
  void* p = mmap(range.pointer(), range.bytes, PROT_NONE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (p == MAP_FAILED) return false;
  if (p != range.pointer()) {  // a kernel before 4.17 takes the address as a hint
    munmap(p, range.bytes);
    errno = EEXIST;
    return false;
  }
  return true;
}

Range map_memory(std::size_t bytes) {
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return p == MAP_FAILED ? Range{} : Range{reinterpret_cast<Address>(p), bytes};
}

void unreserve(Range range) {
  ROAM_CHECK(munmap(range.pointer(), range.bytes) == 0, "munmap(%p, %zu): %s", range.pointer(),
             range.bytes, std::strerror(errno));
}

int make_shared(std::size_t bytes) {
  const int fd = memfd_create("roam-arena", MFD_CLOEXEC);
  if (fd >= 0 && ftruncate(fd, static_cast<off_t>(bytes)) != 0) {
    const int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

bool map_shared(Range range, int fd) {
  return mmap(range.pointer(), range.bytes, PROT_NONE, MAP_SHARED | MAP_NORESERVE | MAP_FIXED, fd,
              0) == range.pointer();
}

bool read_shared(int fd, std::size_t offset, void* to, std::size_t bytes) {
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t got =
        pread(fd, static_cast<char*>(to) + done, bytes - done, static_cast<off_t>(offset + done));
    if (got == 0 || (got < 0 && errno != EINTR)) return false;
    if (got > 0) done += static_cast<std::size_t>(got);
  }
  return true;
}

bool map_private(Range range) {
  const long at = syscall(SYS_mmap, range.pointer(), range.bytes, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, off_t{0});
  mprotect_guards.remove(range);
  forget_all_laid_pages();
  return at == static_cast<long>(range.begin);
}

bool allow_access(Range range) {
  if (injected_failure()) return false;
  return give_access_around(range);
}

bool store_in_read_only(void** word, void* value) {
  void* page = reinterpret_cast<void*>(reinterpret_cast<Address>(word) & ~(kPageBytes - 1));
  if (mprotect(page, kPageBytes, PROT_READ | PROT_WRITE) != 0) return false;
  __atomic_store_n(word, value, __ATOMIC_RELAXED);
  ROAM_CHECK(mprotect(page, kPageBytes, PROT_READ) == 0, "mprotect(%p): %s", page,
             std::strerror(errno));
  return true;
}

// By the object and not by the mapping (MADV_REMOVE), which older kernels refuse where a guard made
// by mprotect is.
void discard(Range range, bool shared, int fd, std::size_t offset) {
  if (range.bytes == 0) return;
  note_discarded(range);
  if (!shared) {
    ROAM_CHECK(madvise(range.pointer(), range.bytes, MADV_DONTNEED) == 0,
               "madvise(%p, %zu, dontneed): %s", range.pointer(), range.bytes,
               std::strerror(errno));
    note_discarded(range);
    return;
  }
  int result;
  do {
    result = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                       static_cast<off_t>(range.bytes));
  } while (result != 0 && errno == EINTR);
  ROAM_CHECK(result == 0, "fallocate(punch hole, %p, %zu): %s", range.pointer(), range.bytes,
             std::strerror(errno));
  note_discarded(range);
}

bool set_huge_pages(Range range, bool huge) {
  return madvise(range.pointer(), range.bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) == 0;
}

bool populate(Range range, bool shared, int fd, std::size_t offset) {
  if (injected_failure()) return false;
  // fallocate makes small pages, whatever the mapping prefers.
  const bool large = range.bytes >= kHugePageBytes;
  if (large && madvise(range.pointer(), range.bytes, MADV_POPULATE_WRITE) == 0) return true;
  if (large && errno != EINVAL) return false;
  if (shared) {
    int result;
    do {
      result = fallocate(fd, 0, static_cast<off_t>(offset), static_cast<off_t>(range.bytes));
    } while (result != 0 && errno == EINTR);
    if (result != 0 && errno != EOPNOTSUPP) return false;
  }
  // Kernels before 5.14 do not know the advice; the pages are then made as they are touched.
  return madvise(range.pointer(), range.bytes, MADV_POPULATE_WRITE) == 0 || errno == EINVAL;
}

Guards guards() { return chosen_guards(); }

bool set_guards(Guards guards) {
  if (guards == Guards::kByAdvice && !probe_cheap_guards()) return false;
  chosen_guards() = guards;
  return true;
}

bool install_guard(Range range) {
  const std::lock_guard hold(protecting);
  return take_write_protection_away(range) && advise_guard(range);
}

bool guard(Range range) {
  switch (guards()) {
    case Guards::kByAdvice:
      return install_guard(range);
    case Guards::kByMprotect:
      if (!mprotect_guards.add(range)) return false;
      if (mprotect(range.pointer(), range.bytes, PROT_NONE) == 0) return true;
      mprotect_guards.remove(range);
      return false;
    case Guards::kNone:
      break;
  }
  return false;
}

void unguard(Range range) {
  switch (guards()) {
    case Guards::kByAdvice:
      ROAM_CHECK(madvise(range.pointer(), range.bytes, MADV_GUARD_REMOVE) == 0,
                 "madvise(%p, %zu, guard remove): %s", range.pointer(), range.bytes,
                 std::strerror(errno));
      break;
    case Guards::kByMprotect:
      ROAM_CHECK(mprotect(range.pointer(), range.bytes, PROT_READ | PROT_WRITE) == 0,
                 "mprotect(%p, %zu): %s", range.pointer(), range.bytes, std::strerror(errno));
      mprotect_guards.remove(range);
      break;
    case Guards::kNone:
      break;
  }
}

namespace {

// Private memory: bit 63 (present) or 62 (swapped) of a pagemap entry. A guard looks swapped; bit
// 58 tells it apart.
constexpr std::uint64_t kPagePresent = std::uint64_t{1} << 63;
constexpr std::uint64_t kPageSwapped = std::uint64_t{1} << 62;
constexpr std::uint64_t kPageGuard = std::uint64_t{1} << 58;

void for_each_present_private(Range range, const std::function<void(Range)>& run) {
  constexpr std::size_t kBatch = 512;
  std::uint64_t entries[kBatch];
  Range current{range.begin, 0};
  for (Address at = range.begin; at < range.end();) {
    const std::size_t pages = std::min(kBatch, (range.end() - at) / kPageBytes);
    const ssize_t got =
        pread(page_map(), entries, pages * 8, static_cast<off_t>(at / kPageBytes * 8));
    // Without pagemap every page counts as present: more is sent, nothing is lost.
    const bool known = got == static_cast<ssize_t>(pages * 8);
    for (std::size_t i = 0; i < pages; ++i, at += kPageBytes) {
      const bool there = (entries[i] & kPagePresent) != 0 ||
                         (entries[i] & (kPageSwapped | kPageGuard)) == kPageSwapped;
      if (!known || there) {
        if (current.bytes == 0) current.begin = at;
        current.bytes += kPageBytes;
      } else if (current.bytes != 0) {
        run(current);
        current.bytes = 0;
      }
    }
  }
  if (current.bytes != 0) run(current);
}

// Page tables are asked before the object for as much as this.
constexpr std::size_t kLongRange = 1 << 20;

}  // namespace

void for_each_present(Range range, bool shared, int fd, std::size_t offset,
                      const std::function<void(Range)>& run) {
  if (!shared) {
    for_each_present_private(range, run);
    return;
  }
  std::vector<Range> mapped;
  if (range.bytes < kLongRange || !find_present_pages(range, &mapped)) mapped.clear();
  for_each_present_of(range, fd, offset, mapped, run);
}

bool exclude_from_core(Range range) {
  return madvise(range.pointer(), range.bytes, MADV_DONTDUMP) == 0;
}

bool include_in_core(Range range) {
  return madvise(range.pointer(), range.bytes, MADV_DODUMP) == 0;
}

bool copy_own(const void* from, void* to, std::size_t bytes) {
  const iovec there{const_cast<void*>(from), bytes}, here{to, bytes};
  return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == static_cast<ssize_t>(bytes);
}

bool is_mapped(Address address) {
  unsigned char present;
  return mincore(reinterpret_cast<void*>(round_down(address, kPageBytes)), 1, &present) == 0;
}

std::size_t shared_bytes(int fd) {
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) return 0;
  return static_cast<std::size_t>(status.st_blocks) * 512;
}

std::size_t resident_bytes() {
  const int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char words[8192];
  const ssize_t got = read(fd, words, sizeof words - 1);
  close(fd);
  if (got <= 0) return 0;
  words[got] = '\0';
  // Without pages of files, which the kernel counts once for each place where they are mapped.
  std::size_t kib = 0;
  for (const char* name : {"\nRssAnon:", "\nRssShmem:"}) {
    if (const char* line = std::strstr(words, name); line != nullptr)
      kib += std::strtoull(line + std::strlen(name), nullptr, 10);
  }
  return kib << 10;
}

}  // namespace roam::os
