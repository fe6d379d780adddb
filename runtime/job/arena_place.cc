#include "runtime/job/arena_place.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/os/mappings.h"
#include "base/os/memory.h"
#include "base/sanitizers.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "roam/error.h"

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

// REQUIRES: `error` is why os::reserve(place) has failed.
std::string why_not_there(Range place, int error) {
  if (error != EEXIST) {
    rlimit limit{};
    getrlimit(RLIMIT_AS, &limit);
    return text("%s. %s", std::strerror(error),
                limit.rlim_cur == RLIM_INFINITY
                    ? "Start the job on a machine that has so many addresses."
                    : "Raise the limit of the address space (ulimit -v).");
  }
  std::string there = "something";
  for (const os::Mapping& mapping : os::mappings()) {
    if (mapping.range.begin >= place.end() || mapping.range.end() <= place.begin) continue;
    there = text("%s at %p", mapping.name.empty() ? "memory" : mapping.name.c_str(),
                 mapping.range.pointer());
    break;
  }
  return text(
      "%s is mapped there. Start the job with ROAM_ARENA=0x%zx,0x%zx, which takes the place before "
      "MPI starts; if it is refused then too, have what the program maps before roam::run lie "
      "elsewhere.",
      there.c_str(), place.begin, place.bytes);
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

bool arena_is_given() { return std::getenv("ROAM_ARENA") != nullptr; }

std::string move_arena(Range place, Options* options) {
  iso::Arena& arena = iso::arena();
  if (arena.whole() != place) arena.release();
  options->arena_base = place.begin;
  options->arena_bytes = place.bytes;
  try {
    arena.reserve(*options);
  } catch (const Error& error) {
    if (error.code() != Errc::out_of_address_space) throw;
    const bool now_free = os::reserve(place);
    const int why = errno;
    if (now_free) os::unreserve(place);
    return text("the arena was %s at %p when the checkpoint was made, and cannot be there now: ",
                bytes_text(place.bytes).c_str(), place.pointer()) +
           (now_free ? error.what() : why_not_there(place, why));
  }
  return {};
}

}  // namespace roam::runtime
