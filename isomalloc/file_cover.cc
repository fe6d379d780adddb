#include "isomalloc/file_cover.h"

#include "base/check.h"
#include "base/os/file_pages.h"
#include "isomalloc/arena.h"
#include "isomalloc/heap.h"

namespace roam::iso {
namespace {

void check_range(Range range) {
  ROAM_CHECK(
      arena().contains(range.pointer()) && (range.begin | range.bytes) % kPageBytes == 0 &&
          range.bytes != 0 &&
          arena().units().range_begin(range.begin) == arena().units().range_begin(range.end() - 1),
      "pages of a file over 0x%zx bytes at %p: that is not whole pages of one block", range.bytes,
      range.pointer());
}

}  // namespace

bool cover(Range range, int fd, std::size_t offset) {
  check_range(range);
  const HeapScope process;  // a mapping of the caller's would pin it
  return os::lay_file_pages(range, fd, offset);
}

void uncover(Range range) {
  check_range(range);
  const HeapScope process;
  os::lay_memory(range, arena().shared() ? arena().fd() : -1, arena().offset(range.begin));
}

}  // namespace roam::iso
