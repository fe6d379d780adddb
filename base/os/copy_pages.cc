#include "base/os/copy_pages.h"

#include <cstring>

#include "base/range.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace roam::os {

#ifdef __SSE2__
namespace {

constexpr std::size_t kLineBytes = 64;
constexpr std::size_t kLookAhead = 4 * kLineBytes;

void copy_line(char* to, const char* from) {
  __m128i words[4];
  for (int i = 0; i < 4; ++i) words[i] = _mm_load_si128(reinterpret_cast<const __m128i*>(from) + i);
  for (int i = 0; i < 4; ++i) _mm_stream_si128(reinterpret_cast<__m128i*>(to) + i, words[i]);
}

// Several at once, so that several rows of the memory chips are open.
template <std::size_t kPages>
void copy_together(char* to, const char* from) {
  for (std::size_t at = 0; at < kPageBytes; at += kLineBytes) {
    for (std::size_t p = 0; p < kPages; ++p) {
      _mm_prefetch(from + p * kPageBytes + at + kLookAhead, _MM_HINT_T0);
      copy_line(to + p * kPageBytes + at, from + p * kPageBytes + at);
    }
  }
}

}  // namespace

void copy_pages(void* to, const void* from, std::size_t bytes) {
  char* target = static_cast<char*>(to);
  const char* source = static_cast<const char*>(from);
  std::size_t at = 0;
  for (; bytes - at >= 4 * kPageBytes; at += 4 * kPageBytes)
    copy_together<4>(target + at, source + at);
  for (; at < bytes; at += kPageBytes) copy_together<1>(target + at, source + at);
  _mm_sfence();
}
#else
void copy_pages(void* to, const void* from, std::size_t bytes) { std::memcpy(to, from, bytes); }
#endif

}  // namespace roam::os
