#ifndef ROAM_THREADS_OWN_THREADS_H_
#define ROAM_THREADS_OWN_THREADS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/range.h"
#include "isomalloc/arena.h"

namespace roam::threads {

// Which threads are on this rank: a bit for each unit of the arena's stacks, in this process's own
// memory. The unit map has those of all ranks of the node, and only their control blocks say whose
// they are: to look into 100,000 of others is a page fault and a cold page each.
class OwnThreads {
 public:
  // Of the region `stacks`; none is here.
  void start(Range stacks);
  ~OwnThreads() { start({}); }

  // The one whose control block is at `t`.
  void add(const void* t) {
    const std::size_t unit = unit_of(t);
    bits_[unit / 64] |= std::uint64_t{1} << unit % 64;
    used_[unit / kUnitsOfAPage] = 1;
  }
  void remove(const void* t) {
    const std::size_t unit = unit_of(t);
    bits_[unit / 64] &= ~(std::uint64_t{1} << unit % 64);
  }

  // Calls visit(unit), in the order of addresses, with the address of the unit that holds the
  // control block of each. They may come and go meanwhile: who comes may be visited or not.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::size_t page = 0; page < used_.size(); ++page) {
      if (used_[page] == 0) continue;
      const std::size_t first = page * (kUnitsOfAPage / 64);
      for (std::size_t word = first; word < first + kUnitsOfAPage / 64; ++word) {
        for (std::uint64_t left = bits_[word]; left != 0; left &= left - 1)
          visit(begin_ +
                (word * 64 + static_cast<std::size_t>(__builtin_ctzll(left))) * iso::kUnitBytes);
      }
    }
  }

 private:
  static constexpr std::size_t kUnitsOfAPage = kPageBytes * 8;  // a page of bits
  std::size_t unit_of(const void* t) const {
    return (reinterpret_cast<Address>(t) - begin_) / iso::kUnitBytes;
  }

  Address begin_ = 0;
  Range memory_;
  std::uint64_t* bits_ = nullptr;   // whole pages, zero until a thread comes
  std::vector<std::uint8_t> used_;  // of each page: whether one has come there
};

}  // namespace roam::threads

#endif  // ROAM_THREADS_OWN_THREADS_H_
