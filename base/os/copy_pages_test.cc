#include "base/os/copy_pages.h"

#include <gtest/gtest.h>

#include "base/os/memory.h"
#include "base/test_bytes.h"

namespace roam::os {
namespace {

TEST(CopyPages, AnyNumberOfThemAndNothingAround) {
  constexpr std::size_t kMost = 13;
  const Range from = map_memory(kMost * kPageBytes), to = map_memory((kMost + 2) * kPageBytes);
  fill_bytes(from.pointer(), from.bytes, test_seed());
  for (std::size_t pages = 0; pages <= kMost; ++pages) {
    fill_bytes(to.pointer(), to.bytes, test_seed() + 1);
    char* begin = static_cast<char*>(to.pointer()) + kPageBytes;
    copy_pages(begin, from.pointer(), pages * kPageBytes);
    EXPECT_TRUE(holds_bytes(begin, pages * kPageBytes, test_seed())) << pages;
    for (const std::size_t at : {kPageBytes - 1, (pages + 1) * kPageBytes}) {
      const char was = static_cast<char*>(to.pointer())[at];
      fill_bytes(to.pointer(), to.bytes, test_seed() + 1);
      EXPECT_EQ(static_cast<char*>(to.pointer())[at], was) << pages << " pages, byte " << at;
    }
  }
  unreserve(from);
  unreserve(to);
}

}  // namespace
}  // namespace roam::os
