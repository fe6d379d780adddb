#ifndef ROAM_RUNTIME_CHECKPOINT_COMPRESSION_H_
#define ROAM_RUNTIME_CHECKPOINT_COMPRESSION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "runtime/checkpoint/compressed_format.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace roam::runtime {

// How the file of a piece is compressed.
struct Compression {
  int level = 0;  // of zstd; 0: not at all
  std::uint32_t frame_bytes = kFrameBytes;
};

// zstd, for frames on their own. Context: one kernel thread, the malloc family not captured.
class Compressor {
 public:
  // False: there is no memory for it.
  bool make(int level);
  // To memory of `most_bytes`. 0: it takes more than that, or there is no memory.
  std::size_t compress(const void* from, std::size_t bytes, void* to, std::size_t most_bytes);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
};

class Decompressor {
 public:
  // Null: `to` has exactly `to_bytes`, of all `bytes`. Else why not: it is no frame of zstd, or one
  // of another length, or there is no memory. Nothing is allocated by what the frame says.
  const char* decompress(const void* from, std::size_t bytes, void* to, std::size_t to_bytes);
  bool lacked() const { return lacked_; }  // that was for want of memory

 private:
  struct Free {
    void operator()(ZSTD_DCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_DCtx_s, Free> context_;
  bool lacked_ = false;
};

// Failure injection for tests: 1: there is no memory for a compressor; 2: for what it needs beside;
// 3: for a decompressor.
extern std::atomic<int> fail_compression;

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_COMPRESSION_H_
