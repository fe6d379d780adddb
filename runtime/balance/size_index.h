#ifndef ROAM_RUNTIME_BALANCE_SIZE_INDEX_H_
#define ROAM_RUNTIME_BALANCE_SIZE_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/balance/load_table.h"

namespace roam::balance {

// The threads of each rank by the class of their load (size_class in heavy_first.h), in a class
// those first that send the fewest bytes. Threads are taken out for good. Threads without load, and
// those that cannot move, are not in it. A rank's threads are put in order when it is first asked
// for them: few ranks give any away. The table is read until then.
class SizeIndex {
 public:
  static constexpr std::size_t kNone = ~std::size_t{0};
  static constexpr int kNoClass = -100'000;

  explicit SizeIndex(const LoadTable& table);

  // Places are numbers in a row of all threads.
  std::uint32_t thread_at(std::size_t place) const { return threads_[place]; }
  // The highest class up to `size_class` of which `rank` has a thread; kNoClass if there is none.
  int class_up_to(std::int32_t rank, int size_class);
  // The first place of a class, kNone if it is empty; and the one behind a place of it. The rank
  // has been asked for a class before.
  std::size_t cheapest(std::int32_t rank, int size_class);
  std::size_t next(std::int32_t rank, std::size_t place);
  void take_out(std::size_t place);

 private:
  void sort(std::size_t rank);
  // The first place of `rank` with that class or a higher one, taken out or not.
  std::size_t begin_of(std::int32_t rank, int size_class) const;
  std::size_t left_from(std::int32_t rank, std::size_t place, int size_class);

  const LoadTable& table_;
  std::vector<std::uint32_t> threads_;
  std::vector<int> classes_;        // of each place
  std::vector<std::size_t> begin_;  // of each rank
  std::vector<bool> sorted_;        // of each rank
  // Union-find over places that were taken out: where to look next. down_[p + 1] stands for p, so
  // that there is something below the first.
  std::vector<std::uint32_t> up_, down_;
};

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_SIZE_INDEX_H_
