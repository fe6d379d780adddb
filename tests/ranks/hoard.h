#ifndef ROAM_TESTS_RANKS_HOARD_H_
#define ROAM_TESTS_RANKS_HOARD_H_

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace roam_test {

// Takes all memory that malloc gives the calling thread, to the last block of 16 bytes, and uses
// it. Give back in the same thread.
class Hoard {
 public:
  // But for `margin` bytes, about.
  explicit Hoard(std::size_t margin = 0) {
    for (std::size_t bytes = std::size_t{1} << 20; bytes >= sizeof(Block); bytes /= 2) {
      while (void* memory = std::malloc(bytes)) {
        std::memset(memory, 1, bytes);
        (bytes == std::size_t{1} << 20 ? large_ : small_) =
            new (memory) Block{bytes == std::size_t{1} << 20 ? large_ : small_};
        bytes_ += bytes;
      }
    }
    for (std::size_t given = 0; given < margin && large_ != nullptr; given += std::size_t{1} << 20)
      std::free(std::exchange(large_, large_->next));
  }
  ~Hoard() { give_back(); }
  Hoard(const Hoard&) = delete;
  Hoard& operator=(const Hoard&) = delete;

  void give_back() {
    for (Block** list : {&large_, &small_}) {
      while (*list != nullptr) {
        Block* next = (*list)->next;
        std::free(*list);
        *list = next;
      }
    }
  }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Block {
    Block* next;
    void* room = nullptr;
  };
  Block *large_ = nullptr, *small_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace roam_test

#endif  // ROAM_TESTS_RANKS_HOARD_H_
