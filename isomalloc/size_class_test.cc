#include "isomalloc/size_class.h"

#include <gtest/gtest.h>

#include "isomalloc/arena.h"

namespace roam::iso {
namespace {

TEST(SizeClass, EachSizeGetsTheSmallestClassThatHoldsIt) {
  for (std::size_t bytes = 0; bytes <= kLargestSmall; ++bytes) {
    const std::uint32_t c = class_of(bytes);
    ASSERT_LT(c, kSizeClasses) << bytes;
    ASSERT_GE(class_bytes(c), bytes);
    ASSERT_GE(class_bytes(c), kSmallestBlock);
    if (c != 0) {
      ASSERT_LT(class_bytes(c - 1), bytes) << "a smaller class would do";
    }
    ASSERT_EQ(c, compute_class_of(bytes)) << "the table agrees with the formula at " << bytes;
  }
}

TEST(SizeClass, ClassesGrowAreAlignedAndWasteAtMostAFifth) {
  for (std::uint32_t c = 0; c < kSizeClasses; ++c) {
    EXPECT_EQ(class_bytes(c) % kSmallestBlock, 0u);
    EXPECT_EQ(class_of(class_bytes(c)), c);
    if (c == 0) continue;
    const std::size_t least = class_bytes(c - 1) + 1;
    EXPECT_GT(class_bytes(c), class_bytes(c - 1));
    if (least > 128) {
      EXPECT_LE((class_bytes(c) - least) * 5, class_bytes(c)) << least;
    }
  }
}

TEST(SizeClass, TwoOfTheLargestFitASpan) {
  EXPECT_LE(2 * class_bytes(kSizeClasses - 1) + kPageBytes, kUnitBytes);
}

}  // namespace
}  // namespace roam::iso
