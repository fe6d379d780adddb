#include "runtime/job/arena_place.h"

#include <algorithm>
#include <cstddef>

#include "base/os/memory.h"
#include "base/sanitizers.h"

namespace roam::runtime {
namespace {

constexpr std::size_t kTiB = std::size_t{1} << 40;
// The largest parts of what is free of programs and their libraries, with something in the midst of
// it, and others that share nothing with them. None is near where the kernel maps by itself.
constexpr Range kOthers[] = {{0x300000000000, 32 * kTiB},
                             {0x100000000000, 24 * kTiB},
                             {0x580000000000, 32 * kTiB},
                             {0x200000000000, 8 * kTiB}};

bool is_free(Range place) {
  if (!os::reserve(place)) return false;
  os::unreserve(place);
  return true;
}

}  // namespace

Range arena_place(Range wanted, const std::function<bool(bool)>& all) {
  if (all(is_free(wanted))) return wanted;
  for (const Range& largest : kOthers) {
    const Range other{largest.begin, std::min(largest.bytes, wanted.bytes)};
    if (all(other.end() <= sanitizers::kArenaEnd && is_free(other))) return other;
  }
  return wanted;
}

}  // namespace roam::runtime
