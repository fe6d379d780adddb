#ifndef ROAM_RUNTIME_CHECKPOINT_HASH_H_
#define ROAM_RUNTIME_CHECKPOINT_HASH_H_

#include <cstddef>
#include <cstdint>

namespace roam::runtime {

// The checksum of checkpoints: XXH3, 64 bits, seed 0.
std::uint64_t hash_of(const void* data, std::size_t bytes);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_HASH_H_
