#ifndef ROAM_TESTS_SUPPORT_RANDOM_H_
#define ROAM_TESTS_SUPPORT_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace roam_test {

// The finaliser of splitmix64: a bijection whose output looks random. Source: Steele, Lea, Flood
// 2014.
constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// A seeded generator of one word of state, so that it costs nothing to carry in a thread.
class Random {
 public:
  using result_type = std::uint64_t;

  explicit constexpr Random(std::uint64_t seed) : state_(mix(seed)) {}
  constexpr std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    return mix(state_);
  }
  // In [0, limit); limit > 0.
  constexpr std::uint64_t below(std::uint64_t limit) { return next() % limit; }
  // In [low, high].
  constexpr std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  constexpr bool one_in(std::uint64_t n) { return below(n) == 0; }

  // `length` letters and digits.
  std::string text(std::size_t length) {
    static constexpr char kLetters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    std::string result(length, ' ');
    for (char& c : result) c = kLetters[below(sizeof(kLetters) - 1)];
    return result;
  }

  // So that std::shuffle and the distributions take it.
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return UINT64_MAX; }
  constexpr result_type operator()() { return next(); }

 private:
  std::uint64_t state_;
};

}  // namespace roam_test

#endif  // ROAM_TESTS_SUPPORT_RANDOM_H_
