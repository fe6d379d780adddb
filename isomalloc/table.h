#ifndef ROAM_ISOMALLOC_TABLE_H_
#define ROAM_ISOMALLOC_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace roam::iso {

// Ends with Error(out_of_memory): the kernel refuses, with errno, to `what` for the arena.
[[noreturn]] void no_memory_for_arena(const std::string& what);

// A table over the arena that is this process's own: zeroed memory that exists as it is touched,
// and is in no core unless that is asked for. Has no destructor, since the arena has none: malloc
// is called after all destructors. unmap() gives it back.
template <class T>
class Table {
 public:
  // Room for `count`, all zero. Errors: Error(out_of_memory).
  void map(std::size_t count, bool in_core = false);
  // All zero again. Allocates nothing.
  void wipe();
  void unmap();

  T& operator[](std::size_t index) { return entries_[index]; }
  const T& operator[](std::size_t index) const { return entries_[index]; }
  const T* data() const { return entries_; }

 private:
  T* entries_ = nullptr;
  std::size_t bytes_ = 0;
};
extern template class Table<std::uint8_t>;
extern template class Table<std::uint32_t>;
extern template class Table<std::uint64_t>;

// A bit for each of a number of things.
class BitTable {
 public:
  void map(std::size_t bits) { words_.map(bits / 64 + 2); }
  void wipe() { words_.wipe(); }
  void unmap() { words_.unmap(); }

  bool test(std::size_t bit) const { return (words_[bit / 64] >> (bit % 64) & 1) != 0; }
  void set(std::size_t bit) { words_[bit / 64] |= std::uint64_t{1} << (bit % 64); }
  void clear(std::size_t bit) { words_[bit / 64] &= ~(std::uint64_t{1} << (bit % 64)); }
  // The same while other kernel threads change bits; whether it was set.
  bool test_and_set(std::size_t bit) {
    const std::uint64_t mask = std::uint64_t{1} << (bit % 64);
    return (__atomic_fetch_or(&words_[bit / 64], mask, __ATOMIC_RELAXED) & mask) != 0;
  }
  bool test_and_clear(std::size_t bit) {
    const std::uint64_t mask = std::uint64_t{1} << (bit % 64);
    return (__atomic_fetch_and(&words_[bit / 64], ~mask, __ATOMIC_RELAXED) & mask) != 0;
  }
  // The word that holds `bit`, shifted so that `bit` is its lowest.
  std::uint64_t word_of(std::size_t bit) const { return words_[bit / 64] >> (bit % 64); }
  // Bits from `first` on, wherever in a word they begin: at least kMostAtOnce.
  static constexpr std::size_t kMostAtOnce = 57;
  std::uint64_t from(std::size_t first) const {
    std::uint64_t word;
    std::memcpy(&word, reinterpret_cast<const char*>(words_.data()) + first / 8, sizeof word);
    return word >> (first % 8);
  }

 private:
  Table<std::uint64_t> words_;
};

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_TABLE_H_
