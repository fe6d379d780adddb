#ifndef ROAM_TESTS_STRESS_HOLDINGS_H_
#define ROAM_TESTS_STRESS_HOLDINGS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/support/random.h"

namespace roam_test {

struct Block {
  void* at = nullptr;
  std::size_t bytes = 0;
  std::uint64_t seed = 0;

  // A block of malloc, calloc or aligned_alloc, filled.
  static Block make(Random& rng);
  void verify() const;
  void verify_and_free();
  void verify_and_resize(Random& rng);
};

// What a thread holds in its heap. Every byte follows from a seed, and is verified before it is
// given up.
class Holdings {
 public:
  explicit Holdings(std::uint64_t seed) : seed_(seed) {}
  Holdings(const Holdings&) = delete;
  ~Holdings();  // verifies nothing: see verify_all

  // One random change.
  void change(Random& rng);
  void verify_all() const;

  // For another thread to verify and free.
  std::vector<Block> give(Random& rng);
  void take(const std::vector<Block>& blocks);

 private:
  struct Link {
    Link* next;
    std::uint64_t value;
  };
  std::uint64_t seed_;
  std::vector<Block> blocks_;
  std::map<std::uint64_t, std::string>
      texts_;             // text of a key: Random(seed_ ^ key).text(key % 300)
  Link* list_ = nullptr;  // values mix(seed_ + length), ..., mix(seed_ + 1)
  std::uint64_t list_length_ = 0;
};

}  // namespace roam_test

#endif  // ROAM_TESTS_STRESS_HOLDINGS_H_
