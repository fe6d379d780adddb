// What images of blocks may not do, whatever order they are unpacked and freed in.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include "roam/isomalloc.h"
#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

std::vector<char> take_away(void* block) {
  roam::PupSizer sizer;
  roam::pup_block(sizer, &block);
  std::vector<char> image(sizer.bytes());
  roam::PupToMemory packer(image.data(), true);
  roam::pup_block(packer, &block);
  return image;
}

std::vector<char> copy_of(void* block) {
  roam::PupSizer sizer;
  roam::pup_block(sizer, &block);
  std::vector<char> image(sizer.bytes());
  roam::PupToMemory packer(image.data());
  roam::pup_block(packer, &block);
  return image;
}

void* bring(const std::vector<char>& image) {
  void* block = nullptr;
  roam::PupFromMemory unpacker(image.data(), image.size());
  roam::pup_block(unpacker, &block);
  return block;
}

// Freed addresses rest for some hundred frees.
void end_rests() {
  for (int i = 0; i < 300; ++i) iso_free(iso_malloc(1));
}

// A packer that deletes makes an image to be unpacked once. It is kept, and unpacked again after
// the first copy was freed: on a rank that does not know of it.
SCENARIO(BlockImage, UnpackedTwiceIsNeverWrittenOverByNewBlocks) {
  for (const std::size_t bytes : {std::size_t{1000}, std::size_t{8} << 20}) {
    char* block = static_cast<char*>(iso_malloc(bytes));
    Pattern(bytes).fill(block, bytes);
    const std::vector<char> image = take_away(block);
    on_rank(next_rank(), [image] {
      iso_free(bring(image));
      end_rests();
    });
    void* again = nullptr;
    try {
      again = bring(image);
    } catch (const roam::Error& error) {  // its address has been handed out meanwhile
      expect(error.code() == roam::Errc::address_in_use, error.what());
      continue;
    }
    on_rank(next_rank(), [bytes, again] {
      std::vector<void*> others;
      for (int i = 0; i < 200; ++i) {
        others.push_back(iso_malloc(bytes));
        expect(roam::node() != 0 || others.back() != again, "an address is handed out once a node");
        std::memset(others.back(), 9, std::min<std::size_t>(bytes, 10'000));
      }
      for (void* other : others) iso_free(other);
    });
    Pattern(bytes).verify(again, bytes, "the copy");
    iso_free(again);
  }
}

// On the node another rank freed it, where its address rests: it is as free as if it had been here.
SCENARIO(BlockImage, ComesBackWhereTheBlockWasFreedOnAnotherRankOfTheNode) {
  for (const std::size_t bytes : {std::size_t{1000}, std::size_t{300'000}, std::size_t{8} << 20}) {
    for (const bool deletes : {false, true}) {
      void* block = iso_malloc(bytes);
      Pattern(bytes).fill(block, bytes);
      const std::vector<char> image = deletes ? take_away(block) : copy_of(block);
      on_rank(neighbour(), [image, block, deletes] { iso_free(deletes ? bring(image) : block); });
      expect_eq(bring(image), block, "the copy's address");
      expect_error(roam::Errc::address_in_use, {}, [&] { bring(image); });
      on_rank(neighbour(), [bytes, block] {
        std::vector<void*> others;
        for (int i = 0; i < 300; ++i) {
          others.push_back(iso_malloc(bytes));
          expect(others.back() != block, "an address is handed out once a node");
        }
        for (void* other : others) iso_free(other);
      });
      expect_eq(iso_length(block), bytes, "its length");
      Pattern(bytes).verify(block, bytes, "the copy");
      iso_free(block);
    }
  }
}

// The length says terabytes, and the data is short: nothing is looked for at that length.
SCENARIO(BlockImage, WithALengthThatItsDataCannotHaveIsRefused) {
  void* block = iso_malloc(5000);
  std::vector<char> image = take_away(block);
  constexpr std::size_t kLengthAt = 16;
  const std::size_t lengths[] = {std::size_t{1} << 43, std::size_t{1} << 40, 1 << 30, 5001};
  for (const std::size_t length : lengths) {
    std::vector<char> wrong = image;
    std::memcpy(wrong.data() + kLengthAt, &length, sizeof length);
    expect_error(roam::Errc::corrupt_image, {}, [&] { bring(wrong); });
  }
  expect_eq(bring(image), block, "the right one is unpacked");
  iso_free(block);
}

}  // namespace
}  // namespace roam_test
