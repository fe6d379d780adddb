#include "base/os/file_pages.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/os/memory.h"

namespace roam::os {
namespace {

TEST(FilePages, AreTheFilesAndMemoryComesBack) {
  const int fd = open_to_read("/proc/self/exe");
  ASSERT_GE(fd, 0);
  const Range file = map_whole_file(fd);
  ASSERT_GT(file.bytes, 3 * kPageBytes);
  const Range memory = map_memory(4 * kPageBytes);
  ASSERT_NE(memory.bytes, 0u);
  std::memset(memory.pointer(), 7, memory.bytes);
  const Range middle{memory.begin + kPageBytes, 2 * kPageBytes};
  ASSERT_TRUE(lay_file_pages(middle, fd, kPageBytes));
  const char* bytes = static_cast<const char*>(memory.pointer());
  EXPECT_EQ(
      std::memcmp(middle.pointer(), static_cast<char*>(file.pointer()) + kPageBytes, middle.bytes),
      0);
  EXPECT_EQ(bytes[0], 7);
  EXPECT_EQ(bytes[3 * kPageBytes], 7);
  lay_memory(middle, -1, 0);
  EXPECT_EQ(bytes[kPageBytes], 0);
  static_cast<char*>(middle.pointer())[5] = 1;
  munmap(memory.pointer(), memory.bytes);
  munmap(file.pointer(), file.bytes);
  close_file(fd);
}

TEST(FilePages, OnlyRegularFilesAreOpened) {
  EXPECT_EQ(open_to_read("/nonexistent"), -1);
  EXPECT_EQ(errno, ENOENT);
  EXPECT_EQ(open_to_read("/"), -1);
  EXPECT_EQ(errno, EISDIR);
  EXPECT_EQ(open_to_read("/dev/null"), -1);
  EXPECT_EQ(errno, EINVAL);
}

}  // namespace
}  // namespace roam::os
