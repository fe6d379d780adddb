#ifndef ROAM_TESTS_RANKS_CHANGING_LOAD_H_
#define ROAM_TESTS_RANKS_CHANGING_LOAD_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/check.h"
#include "tests/support/random.h"

namespace roam_test {

// Memory of which it is known what is in it: each page has one value, all over.
class Load {
 public:
  explicit Load(std::uint64_t seed) : random_(seed) {}

  void add(std::size_t pages) {
    Block block{static_cast<std::uint64_t*>(std::malloc(pages * kWords * 8)), {}};
    block.values.resize(pages);
    blocks_.push_back(std::move(block));
    for (std::size_t page = 0; page < pages; ++page) write(blocks_.back(), page);
  }
  std::size_t pages() const {
    std::size_t sum = 0;
    for (const Block& block : blocks_) sum += block.values.size();
    return sum;
  }
  // Something that changes what is where.
  void change() {
    Block& block = any();
    switch (random_.below(12)) {
      case 0:
        std::free(block.words);
        std::swap(block, blocks_.back());
        blocks_.pop_back();
        add(some_pages());
        break;
      case 1:  // small ones too, so that there are spans of these
        add(1);
        if (blocks_.size() > 200) {
          std::free(blocks_.back().words);
          blocks_.pop_back();
        }
        break;
      case 2:
        resize(block, some_pages());
        break;
      default:
        for (int i = 0; i < 20; ++i) write_some();
    }
  }
  // Of one page.
  void write_some() {
    Block& some = any();
    write(some, random_.below(some.values.size()));
  }
  void verify() const {
    for (const Block& block : blocks_) {
      for (std::size_t page = 0; page < block.values.size(); ++page) {
        for (std::size_t word = 0; word < kWords; ++word) {
          if (block.words[page * kWords + word] == block.values[page]) continue;
          expect_eq(block.words[page * kWords + word], block.values[page],
                    "word " + std::to_string(word) + " of page " + std::to_string(page) + " of " +
                        std::to_string(block.values.size()));
        }
      }
    }
  }
  ~Load() {
    for (const Block& block : blocks_) std::free(block.words);
  }
  // Its last block, for who frees it elsewhere.
  void* give_last() {
    void* words = blocks_.back().words;
    blocks_.pop_back();
    return words;
  }
  Random& random() { return random_; }

 private:
  static constexpr std::size_t kWords = 512;  // of a page
  struct Block {
    std::uint64_t* words;
    std::vector<std::uint64_t> values;
  };
  // So many that there are some 8 MiB of all together.
  std::size_t some_pages() {
    return pages() < 2000 ? random_.between(1, 600) : random_.below(3) + 1;
  }
  Block& any() { return blocks_[random_.below(blocks_.size())]; }
  void write(Block& block, std::size_t page) {
    block.values[page] = random_.next();
    for (std::size_t word = 0; word < kWords; ++word)
      block.words[page * kWords + word] = block.values[page];
  }
  void resize(Block& block, std::size_t pages) {
    block.words = static_cast<std::uint64_t*>(std::realloc(block.words, pages * kWords * 8));
    const std::size_t before = block.values.size();
    block.values.resize(pages);
    for (std::size_t page = before; page < pages; ++page) write(block, page);
  }

  Random random_;
  std::vector<Block> blocks_;
};

}  // namespace roam_test

#endif  // ROAM_TESTS_RANKS_CHANGING_LOAD_H_
