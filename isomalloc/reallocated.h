#ifndef ROAM_ISOMALLOC_REALLOCATED_H_
#define ROAM_ISOMALLOC_REALLOCATED_H_

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace roam::iso {

// The end of a realloc of `block`, with room for `usable` bytes, to `bytes` that lie elsewhere:
// what `allocate` gives, with what was in the block, which is freed. Null where there is no memory
// and the block is too small; one that has room enough stays where it is, and errno as it was.
template <class Allocate, class Free>
void* reallocated(void* block, std::size_t usable, std::size_t bytes, Allocate allocate,
                  Free free_block) {
  const int error = errno;
  void* fresh = allocate();
  if (fresh == nullptr) {
    if (bytes > usable) return nullptr;
    errno = error;
    return block;
  }
  std::memcpy(fresh, block, std::min(bytes, usable));
  free_block(block);
  return fresh;
}

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_REALLOCATED_H_
