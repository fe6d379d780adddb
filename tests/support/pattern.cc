#include "tests/support/pattern.h"

#include <cstring>
#include <string>

#include "tests/support/check.h"
#include "tests/support/random.h"

namespace roam_test {

std::uint64_t Pattern::word(std::size_t index) const { return mix(seed_ ^ mix(index)); }

unsigned char Pattern::byte(std::size_t offset) const {
  return static_cast<unsigned char>(word(offset / 8) >> (offset % 8 * 8));
}

void Pattern::fill(void* data, std::size_t bytes, std::size_t offset) const {
  auto* at = static_cast<unsigned char*>(data);
  std::size_t i = 0;
  for (; i < bytes && (offset + i) % 8 != 0; ++i) at[i] = byte(offset + i);
  for (; i + 8 <= bytes; i += 8) {
    const std::uint64_t value = word((offset + i) / 8);
    std::memcpy(at + i, &value, 8);
  }
  for (; i < bytes; ++i) at[i] = byte(offset + i);
}

void Pattern::verify(const void* data, std::size_t bytes, std::string_view what, std::size_t offset,
                     const Place& where) const {
  const auto* at = static_cast<const unsigned char*>(data);
  std::size_t i = 0;
  for (; i < bytes && (offset + i) % 8 != 0; ++i) {
    if (at[i] != byte(offset + i)) break;
  }
  if (i == bytes) return;
  if ((offset + i) % 8 == 0) {
    for (; i + 8 <= bytes; i += 8) {
      std::uint64_t value;
      std::memcpy(&value, at + i, 8);
      if (value != word((offset + i) / 8)) break;
    }
  }
  while (i < bytes && at[i] == byte(offset + i)) ++i;
  if (i == bytes) return;
  std::size_t wrong = 0;
  for (std::size_t j = i; j < bytes; ++j) wrong += at[j] != byte(offset + j);
  char text[160];
  snprintf(text, sizeof(text), " of %zu bytes at %p: byte %zu is 0x%02x, want 0x%02x; %zu differ",
           bytes, data, i, at[i], byte(offset + i), wrong);
  fail(std::string(what) + text, where);
}

void verify_zero(const void* data, std::size_t bytes, std::string_view what, const Place& where) {
  const auto* at = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < bytes; ++i) {
    if (at[i] == 0) continue;
    char text[120];
    snprintf(text, sizeof(text), " of %zu bytes at %p: byte %zu is 0x%02x, want 0", bytes, data, i,
             at[i]);
    fail(std::string(what) + text, where);
  }
}

}  // namespace roam_test
