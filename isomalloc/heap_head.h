#ifndef ROAM_ISOMALLOC_HEAP_HEAD_H_
#define ROAM_ISOMALLOC_HEAP_HEAD_H_

#include <cstddef>
#include <cstdint>

#include "base/range.h"

namespace roam::iso {

// Of a block in a heap's head room: the word before it says its size and whether it lives.
inline constexpr std::uint32_t kHeadLive = 0x44414548;   // "HEAD"
inline constexpr std::uint32_t kHeadFreed = 0x45455246;  // "FREE"
struct HeadWord {
  std::uint32_t state;
  std::uint32_t bytes;
};
inline HeadWord* head_word(const void* block) {
  return reinterpret_cast<HeadWord*>(reinterpret_cast<Address>(block) - sizeof(HeadWord));
}

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_HEAP_HEAD_H_
