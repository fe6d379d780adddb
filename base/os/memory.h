#ifndef ROAM_BASE_OS_MEMORY_H_
#define ROAM_BASE_OS_MEMORY_H_

#include <atomic>
#include <cstddef>
#include <functional>

#include "base/lock.h"
#include "base/range.h"

// The only calls of the project that change mappings. Each returns false, with errno set, where the
// kernel may refuse for want of memory; a call that cannot fail in a correct program ends the job
// if it does.
namespace roam::os {

// Reserves `range` with no access, without replacing anything. EEXIST: something is mapped there.
bool reserve(Range range);
// Memory of its own, `bytes` in whole pages, all zeros, with access. Empty if there is none.
Range map_memory(std::size_t bytes);
// Gives back a whole reservation.
void unreserve(Range range);

// A memory object of `bytes`, nothing allocated. -1 with errno if the kernel refuses.
int make_shared(std::size_t bytes);
// Maps the object over our own reservation, with no access.
bool map_shared(Range range, int fd);
// Bytes of the object, whatever is mapped. False: the kernel refused.
bool read_shared(int fd, std::size_t offset, void* to, std::size_t bytes);
// The other way, in a process that fork made: the reservation is this process's own again, empty,
// with no access. Past libc, whose calls UCX changes: it may hold a lock of a kernel thread that
// is not in this process.
bool map_private(Range range);

bool allow_access(Range range);  // PROT_READ | PROT_WRITE

// Stores `value` in a word that the dynamic linker made read-only, whose page is writable for the
// moment. False, and nothing changed, if the kernel refuses.
bool store_in_read_only(void** word, void* value);

// Drops the pages of `range`: it reads as zeros afterwards. Shared memory is the object's: `fd`,
// from `offset` on.
void discard(Range range, bool shared, int fd = -1, std::size_t offset = 0);
// What it takes to watch which pages are written (written_pages.h): discard() notes shared ranges,
// before and after each, so that nobody who looks meanwhile misses one, since pages that are gone,
// and come back as zeros, have not been written for the kernel; and guard() takes write protection
// away before, as Linux 6.18 does not come to an end where it is to guard pages that have it.
struct Watched {
  static constexpr std::uint64_t kSecondList = std::uint64_t{1} << 63;
  int userfault = -1;
  Range* lists[2] = {};  // one is written while the other is read; no bytes: not written yet
  std::size_t room = 0;  // in each
  // The next place in a list, and kSecondList if it is that one. May be beyond what there is room
  // for.
  std::atomic<std::uint64_t> next = 0;
};
extern std::atomic<Watched*> watched;  // null: nobody wants to know
// Held while pages are being protected, and by guard(), which must not meet that.
extern Lock protecting;
// The same note as discard() makes, for memory that is thrown away in another way, or taken from
// this process, so that the kernel forgets whether it had written it. Before and after that.
void note_discarded(Range range);
// Whether memory of `range` that is made from now on is made of huge pages, where the kernel allows
// it. False: it does not know them, or has no room for another mapping.
bool set_huge_pages(Range range, bool huge);

// Makes all pages of `range` exist, faster than touching them (0.8 against 3.2 us a page, 2026-11).
// False with ENOMEM or ENOSPC if there is no memory.
bool populate(Range range, bool shared, int fd, std::size_t offset);

// How guards are made. By advice (MADV_GUARD_INSTALL: Linux 6.13, shared memory 6.15) they split no
// mapping, and cost 1.1 us. By mprotect each run of them is two mappings, and a process may have
// 65,530 (vm.max_map_count), so there are at most kMprotectGuards runs. The default is what this
// kernel has.
enum class Guards { kByAdvice, kByMprotect, kNone };
inline constexpr int kMprotectGuards = 16'000;
Guards guards();
// Before the first guard. False: the kernel has no guards by advice.
bool set_guards(Guards guards);
inline bool has_cheap_guards() { return guards() == Guards::kByAdvice; }

// Lays and takes away a guard: an access faults. False: no more can be had. What is taken away may
// be a part of what was laid, or more.
bool guard(Range range);
void unguard(Range range);
// MADV_GUARD_INSTALL, whatever guards() are. False with errno: the kernel refuses.
bool install_guard(Range range);

// Calls `run` for each run of pages in `range` that exist. Pages that were never written, or were
// dropped, do not.
void for_each_present(Range range, bool shared, int fd, std::size_t offset,
                      const std::function<void(Range)>& run);

// Whether a core has `range`; parts of it keep that when their access changes. False: no room for
// another mapping.
bool exclude_from_core(Range range);
bool include_in_core(Range range);

// Copies from this process's own memory, which another kernel thread may take away meanwhile.
// False: it is not there, or the kernel refuses.
bool copy_own(const void* from, void* to, std::size_t bytes);

// Whether something is mapped at `address`.
bool is_mapped(Address address);

// Bytes of memory that the object holds.
std::size_t shared_bytes(int fd);
// That this process holds; 0 if there is no /proc.
std::size_t resident_bytes();

// Failure injection for tests: the n-th call from now of populate or allow_access fails with
// ENOMEM. 0: off.
extern int fail_after;

}  // namespace roam::os

#endif  // ROAM_BASE_OS_MEMORY_H_
