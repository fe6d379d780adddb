#ifndef ROAM_RUNTIME_CHECKPOINT_HASH_AVX2_H_
#define ROAM_RUNTIME_CHECKPOINT_HASH_AVX2_H_

#include <cstddef>
#include <cstdint>

namespace roam::runtime {

// hash_pages() (hash.h) for processors that have AVX2. REQUIRES: this one has.
void hash_pages_avx2(const void* data, std::size_t bytes, std::uint64_t* each);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_HASH_AVX2_H_
