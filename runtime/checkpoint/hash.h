#ifndef ROAM_RUNTIME_CHECKPOINT_HASH_H_
#define ROAM_RUNTIME_CHECKPOINT_HASH_H_

#include <cstddef>
#include <cstdint>

#include "base/range.h"

namespace roam::runtime {

// The checksum of checkpoints: XXH3, 64 bits, seed 0.
std::uint64_t hash_of(const void* data, std::size_t bytes);

// That of whole pages, of which parts can be told from the whole: of the checksums of the pages, 8
// bytes each. `each`: room for those.
void hash_pages(const void* data, std::size_t bytes, std::uint64_t* each);
inline std::uint64_t hash_of_pages(const std::uint64_t* each, std::size_t bytes) {
  return hash_of(each, bytes / kPageBytes * sizeof *each);
}
std::uint64_t hash_of_pages(const void* data, std::size_t bytes);  // at most kMostPageRunBytes

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_HASH_H_
