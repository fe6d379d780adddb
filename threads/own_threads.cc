#include "threads/own_threads.h"

#include "base/check.h"
#include "base/os/memory.h"

namespace roam::threads {

void OwnThreads::start(Range stacks) {
  if (memory_.bytes != 0) os::unreserve(memory_);
  memory_ = {};
  bits_ = nullptr;
  begin_ = stacks.begin;
  const std::size_t pages = (stacks.bytes / iso::kUnitBytes + kUnitsOfAPage - 1) / kUnitsOfAPage;
  used_.assign(pages, 0);
  if (pages == 0) return;
  memory_ = os::map_memory(pages * kPageBytes);
  ROAM_CHECK(memory_.bytes != 0, "no address space for the list of %zu MiB of stacks",
             stacks.bytes >> 20);
  bits_ = static_cast<std::uint64_t*>(memory_.pointer());
}

}  // namespace roam::threads
