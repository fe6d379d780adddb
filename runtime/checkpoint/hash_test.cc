#include "runtime/checkpoint/hash.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "base/range.h"
#include "base/test_bytes.h"

namespace roam::runtime {
namespace {

// Whatever the processor has: files go from one machine to another.
TEST(HashTest, ThoseOfPagesAreThoseOfTheirBytes) {
  const std::uint64_t seed = test_seed();
  for (const std::size_t pages : {1, 2, 3, 7, 64}) {
    std::vector<char> bytes(pages * kPageBytes + 16);
    fill_bytes(bytes.data(), bytes.size(), seed + pages);
    for (const std::size_t at : {0, 16}) {
      std::vector<std::uint64_t> each(pages + 1, 5);
      hash_pages(bytes.data() + at, pages * kPageBytes, each.data());
      for (std::size_t i = 0; i < pages; ++i)
        ASSERT_EQ(each[i], hash_of(bytes.data() + at + i * kPageBytes, kPageBytes)) << i;
      EXPECT_EQ(each[pages], 5u) << "nothing is written behind them";
    }
  }
  std::uint64_t none = 5;
  hash_pages(nullptr, 0, &none);
  EXPECT_EQ(none, 5u);
}

// Of a page of zeros it is what a program finds that is linked with Debian's libxxhash 0.8.1.
TEST(HashTest, ItIsXxh3) {
  const std::vector<char> zeros(kPageBytes);
  EXPECT_EQ(hash_of(zeros.data(), zeros.size()), 0x93d7'6fe1'48c6'89baU);
}

}  // namespace
}  // namespace roam::runtime
