#include "runtime/checkpoint/hash.h"

// All of it in here, so that no program of ours needs its shared library.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace roam::runtime {

std::uint64_t hash_of(const void* data, std::size_t bytes) { return XXH3_64bits(data, bytes); }

}  // namespace roam::runtime
