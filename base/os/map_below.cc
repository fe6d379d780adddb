#include "base/os/map_below.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "base/os/mappings.h"

namespace roam::os {
namespace {

// More only while other kernel threads map and unmap without a pause.
constexpr int kMostPasses = 8;

}  // namespace

// What another kernel thread had mapped when the list was read, it may have unmapped since: libc
// maps 128 MiB for a thread's first malloc, and keeps half of it. So holes are looked for until
// there is none.
MapBelow::MapBelow(Address end) {
  for (int pass = 0; pass < kMostPasses && fill(end); ++pass) continue;
}

// False: there was no hole. By system call: what is mapped for a moment is no business of those who
// watch libc's mmap.
bool MapBelow::fill(Address end) {
  const std::vector<Mapping> all = mappings();
  filled_.reserve(filled_.size() + all.size() + 1);
  bool any = false;
  Address at = end;
  for (const Mapping& mapping : all) {
    // The stack grows into the hole below it, where the kernel maps nothing else.
    if (mapping.name == "[stack]") break;
    if (mapping.range.begin > at) {
      any = true;
      const Range hole{at, mapping.range.begin - at};
      const long got =
          syscall(SYS_mmap, hole.begin, hole.bytes, PROT_NONE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, off_t{0});
      if (got == static_cast<long>(hole.begin)) filled_.push_back(hole);
    }
    at = std::max(at, mapping.range.end());
  }
  return any;
}

MapBelow::~MapBelow() {
  for (const Range& hole : filled_) syscall(SYS_munmap, hole.begin, hole.bytes);
}

}  // namespace roam::os
