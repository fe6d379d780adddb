#ifndef ROAM_BASE_TEST_BYTES_H_
#define ROAM_BASE_TEST_BYTES_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

namespace roam {

// For tests: the seed of this run, from ROAM_TEST_SEED or else a new one each time. Printed, so
// that a failure can be had again.
inline std::uint64_t test_seed() {
  static const std::uint64_t seed = [] {
    const char* given = std::getenv("ROAM_TEST_SEED");
    const std::uint64_t value =
        given != nullptr ? std::strtoull(given, nullptr, 0) : std::random_device{}();
    std::printf("seed: ROAM_TEST_SEED=%llu\n", static_cast<unsigned long long>(value));
    std::fflush(stdout);
    return value;
  }();
  return seed;
}

// A number that looks random and follows from `state`. Source: Vigna, splitmix64.
inline std::uint64_t next_random(std::uint64_t* state) {
  std::uint64_t z = *state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// Fills `bytes` bytes with what follows from `seed`. Allocates nothing.
inline void fill_bytes(void* data, std::size_t bytes, std::uint64_t seed) {
  char* at = static_cast<char*>(data);
  while (bytes != 0) {
    const std::uint64_t word = next_random(&seed);
    const std::size_t n = bytes < sizeof word ? bytes : sizeof word;
    std::memcpy(at, &word, n);
    at += n;
    bytes -= n;
  }
}

// Offset of the first byte that differs from what fill_bytes wrote; `bytes` if none does. Allocates
// nothing.
inline std::size_t first_wrong_byte(const void* data, std::size_t bytes, std::uint64_t seed) {
  const char* at = static_cast<const char*>(data);
  for (std::size_t done = 0; done < bytes;) {
    const std::uint64_t word = next_random(&seed);
    const std::size_t n = bytes - done < sizeof word ? bytes - done : sizeof word;
    if (std::memcmp(at + done, &word, n) != 0) {
      for (std::size_t i = 0; i < n; ++i) {
        if (at[done + i] != reinterpret_cast<const char*>(&word)[i]) return done + i;
      }
    }
    done += n;
  }
  return bytes;
}

inline testing::AssertionResult holds_bytes(const void* data, std::size_t bytes,
                                            std::uint64_t seed) {
  const std::size_t wrong = first_wrong_byte(data, bytes, seed);
  if (wrong == bytes) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "byte " << wrong << " of " << bytes << " at " << data
                                     << " is not what was written (seed " << seed << ")";
}

inline testing::AssertionResult all_zero(const void* data, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) {
    if (static_cast<const char*>(data)[i] != 0) {
      return testing::AssertionFailure() << "byte " << i << " of " << bytes << " is not 0";
    }
  }
  return testing::AssertionSuccess();
}

}  // namespace roam

#endif  // ROAM_BASE_TEST_BYTES_H_
