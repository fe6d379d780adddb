#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "base/test_bytes.h"
#include "isomalloc/block.h"
#include "isomalloc/test_arena.h"
#include "roam/converse.h"
#include "roam/error.h"
#include "roam/isomalloc.h"
#include "roam/pup.h"

namespace roam::iso {
namespace {

constexpr std::size_t kArenaBytes = std::size_t{32} << 30;

class BlockImageTest : public testing::Test {
 protected:
  ~BlockImageTest() override { forget_resting_blocks(); }
  static std::vector<char> packed(void* block, bool deleting = false) {
    PupSizer sizer;
    pup_block(sizer, &block);
    std::vector<char> image(sizer.bytes());
    PupToMemory packer(image.data(), deleting);
    pup_block(packer, &block);
    EXPECT_EQ(packer.bytes(), image.size());
    return image;
  }
  static void* unpacked(const std::vector<char>& image) {
    void* block = nullptr;
    PupFromMemory unpacker(image.data(), image.size());
    pup_block(unpacker, &block);
    EXPECT_EQ(unpacker.bytes(), image.size());
    return block;
  }
  static void expect_refused(const std::vector<char>& image, Errc code) {
    static char elsewhere;
    void* block = &elsewhere;
    try {
      PupFromMemory unpacker(image.data(), image.size());
      pup_block(unpacker, &block);
      ADD_FAILURE() << "was unpacked at " << block;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
    }
    EXPECT_EQ(block, &elsewhere) << "the pointer is not changed";
  }
  static std::string name(const void* p) {
    char text[32];
    std::snprintf(text, sizeof text, "%p", p);
    return text;
  }
  TestArena test_{false, kArenaBytes};
};
using BlockImageDeathTest = BlockImageTest;

TEST_F(BlockImageTest, ABlockComesBackFromItsImageAtTheSameAddress) {
  for (const std::size_t bytes : {0ul, 1ul, 5000ul, 1'000'000ul}) {
    void* block = iso_malloc(bytes);
    fill_bytes(block, bytes, bytes);
    const std::vector<char> image = packed(block);
    EXPECT_GE(image.size(), bytes);
    EXPECT_TRUE(holds_bytes(block, bytes, bytes)) << "packing leaves the block";
    iso_free(block);
    EXPECT_EQ(unpacked(image), block);
    EXPECT_EQ(iso_length(block), bytes);
    EXPECT_TRUE(holds_bytes(block, bytes, bytes));
    iso_free(block);
  }
}

TEST_F(BlockImageTest, PointersInsideStayValid) {
  struct Node {
    Node* next;
    int value;
  };
  Node* list = static_cast<Node*>(iso_malloc(1000 * sizeof(Node)));
  for (int i = 0; i < 1000; ++i) list[i] = {i < 999 ? &list[i + 1] : nullptr, i};
  const std::vector<char> image = packed(list, true);
  EXPECT_EQ(unpacked(image), list);
  int expected = 0;
  for (const Node* node = list; node != nullptr; node = node->next)
    EXPECT_EQ(node->value, expected++);
  EXPECT_EQ(expected, 1000);
  iso_free(list);
}

TEST_F(BlockImageTest, NullTravelsAsNull) {
  const std::vector<char> image = packed(nullptr);
  void* block = this;
  PupFromMemory unpacker(image.data(), image.size());
  pup_block(unpacker, &block);
  EXPECT_EQ(block, nullptr);
}

TEST_F(BlockImageDeathTest, APackerThatDeletesTakesTheBlockAlong) {
  void* block = iso_malloc(5000);
  fill_bytes(block, 5000, 1);
  const std::vector<char> image = packed(block, true);
  EXPECT_EXIT(iso_free(block), testing::ExitedWithCode(1), name(block));
  EXPECT_EXIT(iso_length(block), testing::ExitedWithCode(1), name(block));
  // Its address is nobody's until it arrives somewhere.
  std::vector<void*> others;
  for (int i = 0; i < 600; ++i) {
    others.push_back(iso_malloc(5000));
    ASSERT_NE(others.back(), block);
    iso_free(others.back());
  }
  EXPECT_EQ(unpacked(image), block);
  EXPECT_TRUE(holds_bytes(block, 5000, 1));
  iso_free(block);
}

TEST_F(BlockImageTest, UnpackingWhereTheOriginalLivesIsRefusedAndHarmsNothing) {
  void* block = iso_malloc(100'000);
  fill_bytes(block, 100'000, 1);
  const std::vector<char> image = packed(block);
  fill_bytes(block, 100'000, 2);
  expect_refused(image, Errc::address_in_use);
  EXPECT_TRUE(holds_bytes(block, 100'000, 2));
  EXPECT_EQ(iso_length(block), 100'000u);
  iso_free(block);
}

TEST_F(BlockImageTest, UnpackingWhereAnotherBlockLivesIsRefusedAndHarmsNothing) {
  void* large = iso_malloc(300'000);
  fill_bytes(large, 300'000, 1);
  const std::vector<char> image = packed(large);
  iso_free(large);
  end_all_rests();
  std::vector<void*> small;  // at the same addresses
  for (int i = 0; i < 40; ++i) {
    small.push_back(iso_malloc(1000));
    fill_bytes(small.back(), 1000, 7);
  }
  bool overlaps = false;
  for (void* block : small) {
    overlaps |= block >= large && block < static_cast<char*>(large) + 300'000;
  }
  if (overlaps) {
    expect_refused(image, Errc::address_in_use);
  }
  for (void* block : small) {
    EXPECT_TRUE(holds_bytes(block, 1000, 7));
    iso_free(block);
  }
  EXPECT_EQ(unpacked(image), large);
  EXPECT_TRUE(holds_bytes(large, 300'000, 1));
  iso_free(large);
}

// An image that was packed with deletion may be read again, from a checkpoint: each time it must be
// the only owner.
TEST_F(BlockImageTest, AnImageThatIsUnpackedAgainAfterAFreeIsNotHandedOutASecondTime) {
  for (const bool deleting : {false, true}) {
    void* block = iso_malloc(5000);
    fill_bytes(block, 5000, 1);
    const std::vector<char> image = packed(block, deleting);
    if (!deleting) iso_free(block);
    for (int round = 0; round < 3; ++round) {
      ASSERT_EQ(unpacked(image), block);
      ASSERT_TRUE(holds_bytes(block, 5000, 1));
      std::vector<void*> others;
      for (int i = 0; i < 600; ++i) {
        others.push_back(iso_malloc(5000));
        ASSERT_NE(others.back(), block) << "a live block's address was handed out";
        fill_bytes(others.back(), 5000, 2);
      }
      ASSERT_TRUE(holds_bytes(block, 5000, 1));
      iso_free(block);
      for (void* other : others) iso_free(other);
    }
  }
}

TEST_F(BlockImageTest, AnImageOfAnotherProcessIsUnpackedAndItsAddressIsNotHandedOutAgain) {
  void* block = iso_malloc(5000);
  fill_bytes(block, 5000, 1);
  const std::vector<char> image = packed(block, true);
  // A new process begins with all addresses free.
  forget_resting_blocks();
  TestArena::release();
  const TestArena again(false, kArenaBytes);
  EXPECT_EQ(unpacked(image), block);
  EXPECT_TRUE(holds_bytes(block, 5000, 1));
  for (int i = 0; i < 2000; ++i) ASSERT_NE(iso_malloc(5000), block);
  EXPECT_TRUE(holds_bytes(block, 5000, 1));
}

TEST_F(BlockImageTest, ATruncatedImageIsRefusedAndTheAddressesStayFree) {
  void* block = iso_malloc(50'000);
  fill_bytes(block, 50'000, 1);
  std::vector<char> image = packed(block);
  iso_free(block);
  for (const std::size_t bytes :
       {std::size_t{0}, std::size_t{1}, std::size_t{8}, std::size_t{31}, std::size_t{39},
        std::size_t{40}, std::size_t{41}, std::size_t{5000}, image.size() - 1}) {
    SCOPED_TRACE(bytes);
    expect_refused(
        std::vector<char>(image.begin(), image.begin() + static_cast<std::ptrdiff_t>(bytes)),
        Errc::corrupt_image);
  }
  EXPECT_EQ(unpacked(image), block);
  EXPECT_TRUE(holds_bytes(block, 50'000, 1));
  iso_free(block);
  end_all_rests();
  EXPECT_EQ(pool(Region::kBlocks).free_bytes(), arena().region(Region::kBlocks).bytes);
}

TEST_F(BlockImageTest, AnImageWithAnyByteOfItsHeadChangedNeverHarmsALiveBlock) {
  const std::uint64_t seed = test_seed();
  std::mt19937_64 random(seed);
  void* live = iso_malloc(100'000);
  fill_bytes(live, 100'000, 1);
  void* block = iso_malloc(50'000);
  const std::vector<char> image = packed(block);
  iso_free(block);
  const std::size_t head_bytes = image.size() - 50'000;
  for (std::size_t at = 0; at < head_bytes * 8; ++at) {
    SCOPED_TRACE(testing::Message() << "seed " << seed << " byte " << at / 8);
    std::vector<char> corrupt = image;
    corrupt[at / 8] =
        static_cast<char>(at % 8 == 0 ? ~corrupt[at / 8] : static_cast<int>(random()));
    void* got = nullptr;
    try {
      PupFromMemory unpacker(corrupt.data(), corrupt.size());
      pup_block(unpacker, &got);
      if (got != nullptr) iso_free(got);
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == Errc::corrupt_image || error.code() == Errc::address_in_use)
          << error.what();
      EXPECT_EQ(got, nullptr);
    }
    ASSERT_TRUE(holds_bytes(live, 100'000, 1));
    ASSERT_EQ(iso_length(live), 100'000u);
  }
  iso_free(live);
}

// What is written lies in the stream's buffer at first.
TEST_F(BlockImageTest, ABlockWhoseImageCannotBeWrittenIsNotDeleted) {
  for (const std::size_t bytes : {0ul, 1000ul, 100'000ul}) {
    SCOPED_TRACE(bytes);
    std::FILE* full = std::fopen("/dev/full", "w");
    ASSERT_NE(full, nullptr);
    void* const original = iso_malloc(bytes);
    fill_bytes(original, bytes, 1);
    void* block = original;
    pup_er to = pup_new_toDisk(full);
    pup_set_deleting(to, 1);
    try {
      iso_pup(to, &block);
      ADD_FAILURE() << "was written";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::system) << error.what();
    }
    pup_destroy(to);
    std::fclose(full);
    EXPECT_EQ(block, original);
    EXPECT_EQ(iso_length(original), bytes);
    EXPECT_TRUE(holds_bytes(original, bytes, 1));
    iso_free(original);
  }
}

TEST_F(BlockImageTest, ABlockGoesToDiskAndBack) {
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  void* block = iso_malloc(123'456);
  void* original = block;
  fill_bytes(block, 123'456, 1);
  pup_er to = pup_new_toDisk(file);
  EXPECT_TRUE(pup_isPacking(to));
  pup_set_deleting(to, 1);
  CmiIsomallocPup(to, &block);
  const std::size_t bytes = pup_size(to);
  pup_destroy(to);
  std::rewind(file);
  pup_er from = pup_new_fromDisk(file);
  block = nullptr;
  CmiIsomallocPup(from, &block);
  EXPECT_EQ(pup_size(from), bytes);
  pup_destroy(from);
  EXPECT_EQ(block, original);
  EXPECT_TRUE(holds_bytes(block, 123'456, 1));
  // The end of the file.
  from = pup_new_fromDisk(file);
  void* none = this;
  try {
    iso_pup(from, &none);
    ADD_FAILURE() << "nothing was there";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::corrupt_image);
  }
  EXPECT_EQ(none, this);
  pup_destroy(from);
  std::fclose(file);
  iso_free(block);
}

}  // namespace
}  // namespace roam::iso
