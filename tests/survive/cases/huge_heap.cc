// Large heaps. A heap moves by what exists of it: pages never touched cost nothing.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

constexpr std::size_t kMiB = 1 << 20;
constexpr std::size_t kGiB = 1 << 30;

struct Part {
  std::size_t offset, bytes;
};

// Parts of random size and place whose bytes come to about `total`; they do not overlap.
std::vector<Part> parts_of(std::size_t whole, std::size_t total, std::uint64_t seed) {
  Random rng(seed);
  std::vector<Part> parts;
  const std::size_t count = 200;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t room = whole / count;
    const std::size_t bytes = std::min(room, rng.between(total / count / 2, total / count * 3 / 2));
    parts.push_back({i * room + rng.below(room - bytes + 1), bytes});
  }
  return parts;
}

void sparse_block(Mover& move, std::size_t whole, std::size_t total) {
  auto* block = static_cast<unsigned char*>(std::malloc(whole));
  expect(block != nullptr, "malloc gave the block");
  const Pattern pattern(move.seed());
  const auto parts = parts_of(whole, total, move.seed());
  for (const Part& part : parts) pattern.fill(block + part.offset, part.bytes, part.offset);
  move();
  for (const Part& part : parts) {
    pattern.verify(block + part.offset, part.bytes, "part of the block", part.offset);
  }
  block[whole - 1] = 'e';
  std::free(block);
}

SURVIVE_CASE(heap_of_64_MiB_in_one_block) {
  std::vector<unsigned char> block(64 * kMiB);
  Pattern(move.seed()).fill(block.data(), block.size());
  move();
  Pattern(move.seed()).verify(block.data(), block.size(), "the block");
}

SURVIVE_CASE(heap_of_64_MiB_in_many_blocks, .group = Group::heavy) {
  Random rng(move.seed());
  std::vector<std::string> blocks;
  std::size_t total = 0;
  while (total < 64 * kMiB) {
    blocks.push_back(std::string(rng.between(1, 4000), '\0'));
    Pattern(blocks.size()).fill(blocks.back().data(), blocks.back().size());
    total += blocks.back().size();
  }
  move();
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    Pattern(i + 1).verify(blocks[i].data(), blocks[i].size(), "a block of many");
  }
}

SURVIVE_CASE(block_of_3_GiB_with_200_MiB_touched, .group = Group::heavy) {
  sparse_block(move, 3 * kGiB, 200 * kMiB);
}

// Offsets in the image pass 4 GiB although few bytes are sent.
SURVIVE_CASE(block_of_40_GiB_with_20_MiB_touched, .group = Group::heavy) {
  sparse_block(move, 40 * kGiB, 20 * kMiB);
}

SURVIVE_CASE(heap_of_3_GiB_in_many_blocks_sparsely_touched, .group = Group::heavy) {
  constexpr std::size_t kBlock = 300 * 1024 + 40;
  constexpr std::size_t kTouched = 12 * 1024;
  std::vector<unsigned char*> blocks;
  for (std::size_t i = 0; i < 3 * kGiB / kBlock; ++i) {
    blocks.push_back(static_cast<unsigned char*>(std::malloc(kBlock)));
    expect(blocks.back() != nullptr, "malloc gave a block");
    const std::size_t offset = mix(i) % (kBlock - kTouched);
    Pattern(move.seed() + i).fill(blocks.back() + offset, kTouched);
  }
  move();
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::size_t offset = mix(i) % (kBlock - kTouched);
    Pattern(move.seed() + i).verify(blocks[i] + offset, kTouched, "a block of many");
    std::free(blocks[i]);
  }
}

SURVIVE_CASE(calloc_of_1_GiB_with_a_few_pages_touched) {
  auto* block = static_cast<unsigned char*>(std::calloc(kGiB, 1));
  expect(block != nullptr, "calloc gave the block");
  Random rng(move.seed());
  std::vector<std::size_t> touched;
  for (int i = 0; i < 20; ++i) {
    touched.push_back(rng.below(kGiB / 4096) * 4096);
    Pattern(touched.back()).fill(block + touched.back(), 100);
  }
  move();
  for (std::size_t offset : touched) {
    Pattern(offset).verify(block + offset, 100, "start of a touched page");
    verify_zero(block + offset + 100, 3996, "rest of a touched page");
  }
  for (int i = 0; i < 200; ++i) {
    const std::size_t offset = rng.below(kGiB / 4096) * 4096;
    bool untouched = true;
    for (std::size_t other : touched) untouched &= other != offset;
    if (untouched) verify_zero(block + offset, 4096, "page never touched");
  }
  std::free(block);
}

// Freed memory is neither sent nor lost: it is handed out again.
SURVIVE_CASE(memory_freed_before_the_move) {
  std::vector<std::string> kept;
  {
    std::vector<void*> freed;
    for (int i = 0; i < 2000; ++i) {
      freed.push_back(std::malloc(50000));
      Pattern(i).fill(freed.back(), 50000);
      if (i % 100 == 0) kept.push_back(std::string(50000, static_cast<char>('a' + i / 100)));
    }
    for (void* block : freed) std::free(block);
  }
  move();
  for (std::size_t i = 0; i < kept.size(); ++i) {
    expect(kept[i] == std::string(50000, static_cast<char>('a' + i)), "a block between freed ones");
  }
  std::vector<std::string> again(2000, std::string(50000, 'z'));
  for (std::size_t i = 0; i < kept.size(); ++i) {
    expect(kept[i] == std::string(50000, static_cast<char>('a' + i)),
           "a block between reused ones");
  }
}

void dense_block(Mover& move, std::size_t bytes) {
  auto* block = static_cast<unsigned char*>(std::malloc(bytes));
  expect(block != nullptr, "malloc gave the block");
  Pattern(move.seed()).fill(block, bytes);
  move();
  Pattern(move.seed()).verify(block, bytes, "the block");
  std::free(block);
}

// More bytes than an int counts, all of them sent.
SURVIVE_CASE(block_of_3_GiB_wholly_touched, .group = Group::large) { dense_block(move, 3 * kGiB); }

}  // namespace
}  // namespace roam_test
