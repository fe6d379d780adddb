#ifndef ROAM_RUNTIME_CHECKPOINT_PAGE_BUFFER_H_
#define ROAM_RUNTIME_CHECKPOINT_PAGE_BUFFER_H_

#include <cstddef>
#include <memory>
#include <new>

#include "base/range.h"

namespace roam::runtime {

// Whole pages of memory of the process, which the kernel can read and write past its cache.
class PageBuffer {
 public:
  // At least `bytes` from now on, of which nothing is kept.
  void make(std::size_t bytes) {
    bytes = round_up(bytes, kPageBytes);
    if (bytes <= bytes_) return;
    memory_.reset();
    memory_.reset(static_cast<char*>(::operator new (bytes, std::align_val_t{kPageBytes})));
    bytes_ = bytes;
  }
  char* data() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(char* p) const { ::operator delete (p, std::align_val_t{kPageBytes}); }
  };
  std::unique_ptr<char, Free> memory_;
  std::size_t bytes_ = 0;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_PAGE_BUFFER_H_
