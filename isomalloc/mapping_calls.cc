// mmap and its kin: memory of the process that a thread maps pins it until all of it is unmapped,
// and memory of its own that it protects until it does so no more.
// Others may unmap it, in parts and in any order. What the runtime, MPI and plain code map pins
// nobody.
//
// UCX, below MPI, writes a jump to itself into the first bytes of what the dynamic linker finds
// under these names, and goes to the kernel from there. So these are hidden from the dynamic
// linker: it finds libc's, and the program's own calls come here first.

#include <pthread.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <iterator>
#include <map>
#include <mutex>

#include "base/lock.h"
#include "base/os/memory.h"
#include "isomalloc/arena.h"
#include "isomalloc/process_call.h"

#undef ROAM_EXPORT
#define ROAM_EXPORT extern "C" __attribute__((visibility("hidden")))

using roam::Address;
using roam::iso::closed;
using roam::iso::current_heap;
using roam::iso::Heap;
using roam::iso::HeapScope;
using roam::iso::next;
using roam::iso::opened;

namespace {

// What one call mapped: it pins while pieces of it are left.
struct Mapping {
  std::size_t pieces = 0;
  char what[80];
};
struct Piece {
  Address end;
  Mapping* of;
};
roam::Lock lock;
[[gnu::constructor(102)]] void keep_pieces_over_fork() { roam::keep_over_fork<lock>(); }
std::atomic<std::size_t> piece_count = 0;
std::map<Address, Piece>& pieces() {
  static auto& made = *new std::map<Address, Piece>;
  return made;
}

Address round_to_pages(Address bytes) { return roam::round_up(bytes, roam::kPageBytes); }

void add(Address begin, Address end, Mapping* of) {
  pieces()[begin] = {end, of};
  ++of->pieces;
  piece_count.fetch_add(1, std::memory_order_relaxed);
}

void drop(Mapping* mapping) {
  closed(mapping);
  delete mapping;
}

// What lies in [begin, end) is no longer mapped as it was. Returns the mapping that `begin` was in,
// and keeps that one if it is to be `kept`.
Mapping* cut(Address begin, Address end, bool kept = false) {
  if (piece_count.load(std::memory_order_relaxed) == 0) return nullptr;
  const std::lock_guard hold(lock);
  auto it = pieces().upper_bound(begin);
  if (it != pieces().begin()) --it;
  Mapping* first = nullptr;
  while (it != pieces().end() && it->first < end) {
    const Address piece_begin = it->first;
    const Piece piece = it->second;
    if (piece.end <= begin) {
      ++it;
      continue;
    }
    if (piece_begin <= begin) first = piece.of;
    it = pieces().erase(it);
    piece_count.fetch_sub(1, std::memory_order_relaxed);
    if (piece_begin < begin) add(piece_begin, begin, piece.of);
    if (piece.end > end) add(end, piece.end, piece.of);
    if (--piece.of->pieces == 0 && !(kept && piece.of == first)) drop(piece.of);
    it = pieces().lower_bound(std::max(begin, piece_begin + 1));
  }
  return first;
}

// Cuts what a piece of `of`, or of nothing known, comes in the place of: that may be the last of
// `of` itself.
void replace(Address begin, Address end, Mapping* of) {
  const auto count = [of](std::size_t change) {
    if (of == nullptr) return;
    const std::lock_guard hold(lock);
    of->pieces += change;
  };
  count(1);
  cut(begin, end);
  count(std::size_t{0} - 1);
}

void mapped(void* at, std::size_t bytes, Mapping* of, Heap* caller) {
  if (of == nullptr) {
    if (caller == nullptr) return;
    of = new Mapping;
    std::snprintf(of->what, sizeof of->what, "mapping of %zu bytes at %p", bytes, at);
    opened(of, of->what, caller);
  }
  const std::lock_guard hold(lock);
  const Address begin = reinterpret_cast<Address>(at);
  add(begin, begin + round_to_pages(bytes), of);
}

template <class Map>
void* map_and_note(std::size_t bytes, Map map) {
  Heap* caller = current_heap;
  HeapScope process;
  void* at = map();
  if (at == MAP_FAILED) return at;
  const Address begin = reinterpret_cast<Address>(at);
  cut(begin, begin + round_to_pages(bytes));  // MAP_FIXED
  mapped(at, bytes, nullptr, caller);
  return at;
}

}  // namespace

ROAM_EXPORT void* mmap(void* at, size_t bytes, int protection, int flags, int fd,
                       off_t offset) noexcept {
  static const auto real = next<void*(void*, size_t, int, int, int, off_t)>("mmap");
  return map_and_note(bytes, [&] { return real(at, bytes, protection, flags, fd, offset); });
}

ROAM_EXPORT void* mmap64(void* at, size_t bytes, int protection, int flags, int fd,
                         off64_t offset) noexcept {
  static const auto real = next<void*(void*, size_t, int, int, int, off64_t)>("mmap64");
  return map_and_note(bytes, [&] { return real(at, bytes, protection, flags, fd, offset); });
}

// Noted before the addresses may be somebody else's.
ROAM_EXPORT int munmap(void* at, size_t bytes) noexcept {
  static const auto real = next<int(void*, size_t)>("munmap");
  HeapScope process;
  const Address begin = reinterpret_cast<Address>(at);
  if (begin % roam::kPageBytes == 0 && bytes != 0) cut(begin, begin + round_to_pages(bytes));
  return real(at, bytes);
}

ROAM_EXPORT void* mremap(void* old, size_t old_bytes, size_t bytes, int flags, ...) noexcept {
  static const auto real = next<void*(void*, size_t, size_t, int, ...)>("mremap");
  va_list rest;
  va_start(rest, flags);
  void* wanted = (flags & MREMAP_FIXED) != 0 ? va_arg(rest, void*) : nullptr;
  va_end(rest);
  Heap* caller = current_heap;
  HeapScope process;
  // What UCX has in the place of libc's passes four arguments on (1.13, seen in 2026-11).
  void* at =
      (flags & MREMAP_FIXED) == 0
          ? real(old, old_bytes, bytes, flags)
          : reinterpret_cast<void*>(syscall(SYS_mremap, old, old_bytes, bytes, flags, wanted));
  if (at == MAP_FAILED) return at;
  const Address from = reinterpret_cast<Address>(old), to = reinterpret_cast<Address>(at);
  Mapping* of = nullptr;
#ifdef MREMAP_DONTUNMAP
  const bool stays = old_bytes == 0 || (flags & MREMAP_DONTUNMAP) != 0;
#else
  const bool stays = old_bytes == 0;
#endif
  if (!stays) of = cut(from, from + round_to_pages(old_bytes), true);
  replace(to, to + round_to_pages(bytes), of);
  mapped(at, bytes, of, caller);
  return at;
}

// Access that a thread takes away from its own memory is taken away on this rank only. It pins
// until the thread gives it back.
ROAM_EXPORT int mprotect(void* at, size_t bytes, int protection) noexcept {
  static const auto real = next<int(void*, size_t, int)>("mprotect");
  Heap* caller = current_heap;
  HeapScope process;
  const int result = real(at, bytes, protection);
  if (result != 0 || caller == nullptr || bytes == 0 || !roam::iso::arena().contains(at))
    return result;
  const Address begin = reinterpret_cast<Address>(at), end = begin + round_to_pages(bytes);
  cut(begin, end);
  if ((protection & (PROT_READ | PROT_WRITE)) == (PROT_READ | PROT_WRITE)) return result;
  Mapping* of = new Mapping;
  std::snprintf(of->what, sizeof of->what, "protection by mprotect of %zu bytes at %p", bytes, at);
  opened(of, of->what, caller);
  const std::lock_guard hold(lock);
  add(begin, end, of);
  return result;
}

namespace {
// Of the arena, where all ranks of the node share it.
int throw_away(Address begin, std::size_t bytes) {
  roam::iso::Arena& arena = roam::iso::arena();
  if (bytes > arena.whole().end() - begin) {
    errno = ENOMEM;
    return -1;
  }
  arena.discard(roam::Range{begin, round_to_pages(bytes)});
  return 0;
}
// What is guarded is thrown away: of shared memory the kernel would keep it, and show it again
// without the guard. Only once it is guarded: else nothing may have changed.
int guard(roam::Range range) {
  if (!roam::os::install_guard(range)) return -1;
  if (!roam::iso::arena().shared()) return 0;
  if (throw_away(range.begin, range.bytes) != 0) return -1;
  return roam::os::install_guard(range) ? 0 : -1;  // where the hole took it away
}
}  // namespace

// What a program advises the kernel to throw away of its own memory, or to write elsewhere, is gone
// from page tables, and with it whether it had been written (base/os/written_pages.h). A guard must
// not meet pages that are being watched.
ROAM_EXPORT int madvise(void* at, size_t bytes, int advice) noexcept {
  static const auto real = next<int(void*, size_t, int)>("madvise");
  constexpr int kCold = 20, kPageOut = 21, kDontNeedLocked = 24, kCollapse = 25,
                kGuardInstall = 102;
  const roam::Range range{reinterpret_cast<Address>(at), round_to_pages(bytes)};
  if (bytes == 0 || range.begin % roam::kPageBytes != 0 || !roam::iso::arena().contains(at))
    return real(at, bytes, advice);
  const bool thrown_away =
      advice == MADV_DONTNEED || advice == MADV_FREE || advice == kDontNeedLocked;
  // Of shared memory the kernel would drop this rank's view only, and keep what is in it.
  if (thrown_away && roam::iso::arena().shared()) return throw_away(range.begin, bytes);
  const bool taken = thrown_away || advice == MADV_REMOVE || advice == kCold ||
                     advice == kPageOut || advice == kCollapse || advice == kGuardInstall;
  if (!taken) return real(at, bytes, advice);
  const roam::Range noted{range.begin,
                          std::min(range.bytes, roam::iso::arena().whole().end() - range.begin)};
  roam::os::note_discarded(noted);
  const int result = advice == kGuardInstall ? guard(range) : real(at, bytes, advice);
  roam::os::note_discarded(noted);
  return result;
}

ROAM_EXPORT void* shmat(int id, const void* at, int flags) noexcept {
  static const auto real = next<void*(int, const void*, int)>("shmat");
  Heap* caller = current_heap;
  HeapScope process;
  void* segment = real(id, at, flags);
  if (segment != MAP_FAILED) opened(segment, "segment of shmat", caller);
  return segment;
}

ROAM_CLOSING_CALL(int, shmdt, const void*)
