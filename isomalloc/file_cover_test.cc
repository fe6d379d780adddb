#include "isomalloc/file_cover.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/os/file_pages.h"
#include "base/test_bytes.h"
#include "isomalloc/arena.h"
#include "isomalloc/heap.h"
#include "isomalloc/test_arena.h"

namespace roam::iso {
namespace {

constexpr std::size_t kBytes = 256 << 10;

// A file without a name that holds what follows from `seed`.
int file_of(std::uint64_t seed) {
  std::string path = testing::TempDir() + "/cover-XXXXXX";
  const int fd = mkstemp(path.data());
  std::string bytes(4 * kPageBytes, '\0');
  fill_bytes(bytes.data(), bytes.size(), seed);
  EXPECT_EQ(write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  unlink(path.c_str());
  return fd;
}

std::size_t mappings_of_arena() {
  std::FILE* maps = std::fopen("/proc/self/maps", "r");
  std::size_t count = 0;
  char line[512];
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    const Address begin = std::strtoull(line, nullptr, 16);
    count += arena().whole().contains(begin) ? 1 : 0;
  }
  std::fclose(maps);
  return count;
}

class Cover : public testing::TestWithParam<bool> {};

TEST_P(Cover, IsTheFileWhileItLiesAndLeavesNothing) {
  TestArena test_arena(GetParam());
  const std::uint64_t seed = test_seed();
  const int fd = file_of(seed);
  alignas(64) unsigned char head_room[4096];
  Heap heap{};
  heap.start(Range{reinterpret_cast<Address>(head_room), sizeof head_room});
  char* block = static_cast<char*>(heap.allocate_zeroed(kBytes));
  ASSERT_NE(block, nullptr);
  const Range pages{round_up(reinterpret_cast<Address>(block), kPageBytes), 4 * kPageBytes};
  char* behind = reinterpret_cast<char*>(pages.end());
  *behind = 9;
  const std::size_t before = mappings_of_arena();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(cover(pages, fd, 0));
    EXPECT_TRUE(holds_bytes(pages.pointer(), pages.bytes, seed));
    uncover(pages);
    EXPECT_EQ(*static_cast<char*>(pages.pointer()), 0);
  }
  EXPECT_EQ(*behind, 9);
  EXPECT_EQ(mappings_of_arena(), before) << "what was laid is one mapping with the arena again";
  heap.free(block);
  heap.release_all();
  os::close_file(fd);
}
INSTANTIATE_TEST_SUITE_P(PrivateAndShared, Cover, testing::Bool());

TEST(Cover, IsRefusedWhereNoBlockIs) {
  TestArena test_arena;
  const Range nothing{arena().region(Region::kHeap).begin, kPageBytes};
  EXPECT_DEATH(cover(Range{nothing.begin + 8, kPageBytes}, 0, 0), "not whole pages of one block");
}

}  // namespace
}  // namespace roam::iso
