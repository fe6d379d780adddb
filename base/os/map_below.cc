#include "base/os/map_below.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "base/os/mappings.h"

namespace roam::os {

// By system call: what is mapped for a moment is no business of those who watch libc's mmap.
MapBelow::MapBelow(Address end) {
  const std::vector<Mapping> all = mappings();
  filled_.reserve(all.size() + 1);
  Address at = end;
  for (const Mapping& mapping : all) {
    // The stack grows into the hole below it, where the kernel maps nothing else.
    if (mapping.name == "[stack]") break;
    if (mapping.range.begin > at) {
      const Range hole{at, mapping.range.begin - at};
      const long got =
          syscall(SYS_mmap, hole.begin, hole.bytes, PROT_NONE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, off_t{0});
      if (got == static_cast<long>(hole.begin)) filled_.push_back(hole);
    }
    at = std::max(at, mapping.range.end());
  }
}

MapBelow::~MapBelow() {
  for (const Range& hole : filled_) syscall(SYS_munmap, hole.begin, hole.bytes);
}

}  // namespace roam::os
