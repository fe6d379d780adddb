// Compiled with -mavx2. It includes nothing whose inline functions other files have too: the linker
// might give them these.
#include "runtime/checkpoint/hash_avx2.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace roam::runtime {

// Memory comes more slowly than it is hashed, and a processor looks ahead to the end of a page
// only: asked for the next one meanwhile, it needs two thirds of the time.
void hash_pages_avx2(const void* data, std::size_t bytes, std::uint64_t* each) {
  constexpr std::size_t kPage = 4096, kLine = 64;
  const char* page = static_cast<const char*>(data);
  for (const char* const end = page + bytes; page != end; page += kPage) {
    if (page + kPage != end) {
      for (std::size_t at = 0; at < kPage; at += kLine) __builtin_prefetch(page + kPage + at);
    }
    *each++ = XXH3_64bits(page, kPage);
  }
}

}  // namespace roam::runtime
