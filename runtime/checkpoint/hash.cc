#include "runtime/checkpoint/hash.h"

// All of it in here, so that no program of ours needs its shared library.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/check.h"
#include "runtime/checkpoint/hash_avx2.h"
#include "runtime/checkpoint/piece_format.h"

namespace roam::runtime {

std::uint64_t hash_of(const void* data, std::size_t bytes) { return XXH3_64bits(data, bytes); }

void hash_pages(const void* data, std::size_t bytes, std::uint64_t* each) {
  if (__builtin_cpu_supports("avx2")) return hash_pages_avx2(data, bytes, each);
  for (std::size_t at = 0; at < bytes; at += kPageBytes)
    *each++ = XXH3_64bits(static_cast<const char*>(data) + at, kPageBytes);
}

std::uint64_t hash_of_pages(const void* data, std::size_t bytes) {
  std::uint64_t each[kMostPageRunBytes / kPageBytes];
  ROAM_CHECK(bytes <= kMostPageRunBytes, "a run of %zu bytes", bytes);
  hash_pages(data, bytes, each);
  return hash_of_pages(each, bytes);
}

}  // namespace roam::runtime
