#ifndef ROAM_TESTS_SUPPORT_PATTERN_H_
#define ROAM_TESTS_SUPPORT_PATTERN_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/support/place.h"

namespace roam_test {

// Bytes that follow from a seed and their offset alone, so that any part can be filled and verified
// by itself.
class Pattern {
 public:
  explicit constexpr Pattern(std::uint64_t seed) : seed_(seed) {}
  constexpr std::uint64_t seed() const { return seed_; }

  // Writes the bytes of offsets [offset, offset + bytes) to `data`.
  void fill(void* data, std::size_t bytes, std::size_t offset = 0) const;

  // Compares; throws Failure with the first offset that differs, both values there and how many
  // bytes differ.
  void verify(const void* data, std::size_t bytes, std::string_view what, std::size_t offset = 0,
              const Place& where = Place::here()) const;

 private:
  std::uint64_t word(std::size_t index) const;
  unsigned char byte(std::size_t offset) const;

  std::uint64_t seed_;
};

// Throws Failure unless the `bytes` at `data` are all zero.
void verify_zero(const void* data, std::size_t bytes, std::string_view what,
                 const Place& where = Place::here());

}  // namespace roam_test

#endif  // ROAM_TESTS_SUPPORT_PATTERN_H_
