#ifndef ROAM_RUNTIME_IMAGE_STAGING_H_
#define ROAM_RUNTIME_IMAGE_STAGING_H_

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace roam::runtime {

// Buffers in which short runs of bytes are put together for a message, and taken apart again. Large
// ones are used again, since the page faults of a fresh one cost more than the copies into it.
class Staging {
 public:
  struct Buffer {
    std::unique_ptr<char[]> memory;
    bool whole;  // of kMostBytes
  };
  // Of one buffer: small enough that who fills it and who empties it find it in their cache.
  static constexpr std::size_t kMostBytes = 128 << 10;

  // REQUIRES: bytes <= kMostBytes.
  Buffer take(std::size_t bytes) {
    const bool whole = bytes > kMostBytes / 2;
    if (!whole || kept_.empty()) {
      return {std::make_unique_for_overwrite<char[]>(whole ? kMostBytes : bytes), whole};
    }
    Buffer buffer = std::move(kept_.back());
    kept_.pop_back();
    return buffer;
  }
  void give_back(std::vector<Buffer>& buffers) {
    for (Buffer& buffer : buffers) {
      if (buffer.whole && kept_.size() < kMostKept) kept_.push_back(std::move(buffer));
    }
    buffers.clear();
  }

 private:
  static constexpr std::size_t kMostKept = 32;  // 4 MiB
  std::vector<Buffer> kept_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_IMAGE_STAGING_H_
