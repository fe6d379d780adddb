#include "runtime/checkpoint/compression.h"

#include <zstd.h>

namespace roam::runtime {

std::atomic<int> fail_compression{0};

void Compressor::Free::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }
void Decompressor::Free::operator()(ZSTD_DCtx_s* context) const { ZSTD_freeDCtx(context); }

bool Compressor::make(int level) {
  if (fail_compression == 1) return false;
  context_.reset(ZSTD_createCCtx());
  return context_ != nullptr &&
         ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level)) == 0;
}

std::size_t Compressor::compress(const void* from, std::size_t bytes, void* to,
                                 std::size_t most_bytes) {
  if (fail_compression == 2) return 0;
  const std::size_t done = ZSTD_compress2(context_.get(), to, most_bytes, from, bytes);
  return ZSTD_isError(done) != 0 ? 0 : done;
}

// In one call: then its window is `to`, however large the frame says that it is, and only the
// context needs memory.
const char* Decompressor::decompress(const void* from, std::size_t bytes, void* to,
                                     std::size_t to_bytes) {
  if (context_ == nullptr && fail_compression != 3) context_.reset(ZSTD_createDCtx());
  lacked_ = context_ == nullptr;
  if (lacked_) return "there is no memory";
  const std::size_t done = ZSTD_decompressDCtx(context_.get(), to, to_bytes, from, bytes);
  if (ZSTD_isError(done) != 0) return ZSTD_getErrorName(done);
  return done == to_bytes ? nullptr : "it is shorter";
}

}  // namespace roam::runtime
