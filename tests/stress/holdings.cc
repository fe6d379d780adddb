#include "tests/stress/holdings.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "tests/stress/counts.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"

namespace roam_test {
namespace {

constexpr std::size_t kMostBlocks = 60;

// Mostly small, some of many pages.
std::size_t random_bytes(Random& rng) {
  switch (rng.below(20)) {
    case 0:
      return rng.between(1, 400'000);
    case 1:
      return rng.between(4000, 40'000);
    case 2:
      return rng.between(4090, 4100);
    default:
      return rng.between(1, 700);
  }
}

}  // namespace

Block Block::make(Random& rng) {
  Block block{nullptr, random_bytes(rng), rng.next()};
  switch (rng.below(4)) {
    case 0:
      block.at = std::calloc(block.bytes, 1);
      expect(block.at != nullptr, "calloc gave memory");
      verify_zero(block.at, block.bytes, "block from calloc");
      break;
    case 1: {
      const std::size_t alignment = std::size_t{16} << rng.below(9);
      expect(posix_memalign(&block.at, alignment, block.bytes) == 0, "posix_memalign gave memory");
      expect_eq(reinterpret_cast<std::uintptr_t>(block.at) % alignment, std::uintptr_t{0},
                "alignment");
      break;
    }
    default:
      block.at = std::malloc(block.bytes);
      expect(block.at != nullptr, "malloc gave memory");
  }
  Pattern(block.seed).fill(block.at, block.bytes);
  ++counts().allocated;
  return block;
}

void Block::verify() const {
  Pattern(seed).verify(at, bytes, "a block");
  counts().bytes_verified += bytes;
}

void Block::verify_and_free() {
  verify();
  std::free(std::exchange(at, nullptr));
  ++counts().freed;
}

void Block::verify_and_resize(Random& rng) {
  verify();
  const std::size_t old_bytes = std::exchange(bytes, random_bytes(rng));
  at = std::realloc(at, bytes);
  expect(at != nullptr, "realloc gave memory");
  Pattern(seed).verify(at, std::min(old_bytes, bytes), "what realloc kept");
  seed = rng.next();
  Pattern(seed).fill(at, bytes);
  ++counts().resized;
}

void Holdings::change(Random& rng) {
  switch (rng.below(8)) {
    case 0:
    case 1:
    case 2:
      if (blocks_.size() < kMostBlocks) {
        blocks_.push_back(Block::make(rng));
        break;
      }
      [[fallthrough]];
    case 3:
    case 4:
      if (blocks_.empty()) break;
      std::swap(blocks_[rng.below(blocks_.size())], blocks_.back());
      blocks_.back().verify_and_free();
      blocks_.pop_back();
      break;
    case 5:
      if (!blocks_.empty()) blocks_[rng.below(blocks_.size())].verify_and_resize(rng);
      break;
    case 6: {
      const std::uint64_t key = rng.below(500);
      if (auto at = texts_.find(key); at != texts_.end()) {
        expect_eq(at->second, Random(seed_ ^ key).text(key % 300), "text under a key");
        texts_.erase(at);
      } else {
        texts_[key] = Random(seed_ ^ key).text(key % 300);
      }
      break;
    }
    case 7:
      if (rng.one_in(2) || list_ == nullptr) {
        list_ = new Link{list_, mix(seed_ + ++list_length_)};
      } else {
        expect_eq(list_->value, mix(seed_ + list_length_--), "value of the first link");
        delete std::exchange(list_, list_->next);
      }
      break;
  }
}

void Holdings::verify_all() const {
  for (const Block& block : blocks_) block.verify();
  for (const auto& [key, text] : texts_) {
    expect_eq(text, Random(seed_ ^ key).text(key % 300), "text under a key");
  }
  std::uint64_t left = list_length_;
  for (const Link* link = list_; link != nullptr; link = link->next) {
    expect_eq(link->value, mix(seed_ + left--), "value of a link");
  }
  expect_eq(left, std::uint64_t{0}, "links that the list lacks");
}

std::vector<Block> Holdings::give(Random& rng) {
  const std::size_t count = blocks_.empty() ? 0 : rng.below(blocks_.size());
  std::vector<Block> given(blocks_.end() - static_cast<std::ptrdiff_t>(count), blocks_.end());
  blocks_.resize(blocks_.size() - count);
  return given;
}

void Holdings::take(const std::vector<Block>& blocks) {
  blocks_.insert(blocks_.end(), blocks.begin(), blocks.end());
}

Holdings::~Holdings() {
  for (Block& block : blocks_) {
    std::free(block.at);
    ++counts().freed;
  }
  while (list_ != nullptr) delete std::exchange(list_, list_->next);
}

}  // namespace roam_test
