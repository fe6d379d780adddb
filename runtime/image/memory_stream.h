#ifndef ROAM_RUNTIME_IMAGE_MEMORY_STREAM_H_
#define ROAM_RUNTIME_IMAGE_MEMORY_STREAM_H_

#include <cstddef>
#include <cstring>

#include "base/range.h"

namespace roam::runtime {

// An ImageSink that fills a buffer with room for all that is written, without alignment.
class MemorySink {
 public:
  explicit MemorySink(char* at) : at_(at) {}
  void copy(const void* from, std::size_t bytes) {
    if (bytes != 0) std::memcpy(at_, from, bytes);
    at_ += bytes;
  }
  void memory(Range run) { copy(run.pointer(), run.bytes); }

 private:
  char* at_;
};

// An ImageSource over bytes that lie in memory, of any alignment.
class MemorySource {
 public:
  MemorySource(const char* at, std::size_t bytes) : at_(at), left_(bytes) {}
  std::size_t left() const { return left_; }
  bool copy(void* to, std::size_t bytes) {
    if (bytes > left_) return false;
    if (bytes != 0) std::memcpy(to, at_, bytes);
    at_ += bytes;
    left_ -= bytes;
    return true;
  }
  bool memory(Range run) { return copy(run.pointer(), run.bytes); }

 private:
  const char* at_;
  std::size_t left_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_IMAGE_MEMORY_STREAM_H_
