#ifndef ROAM_RUNTIME_BALANCE_SIZE_INDEX_H_
#define ROAM_RUNTIME_BALANCE_SIZE_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/balance/load_table.h"

namespace roam::balance {

// The threads of each rank by the size of their load, from which threads are taken out for good.
// Finds those that are nearest to a size. Threads without load are not in it.
class SizeIndex {
 public:
  static constexpr std::size_t kNone = ~std::size_t{0};

  explicit SizeIndex(const LoadTable& table);

  // Places are numbers in a row of all threads; a rank's lie side by side, the smallest first.
  std::uint32_t thread_at(std::size_t place) const { return threads_[place]; }
  // The first place on `rank` with at least `load_s` that is not taken out, and the last with less.
  std::size_t at_least(std::int32_t rank, double load_s);
  std::size_t below(std::int32_t rank, double load_s);
  // The next one above and below a place of `rank`; kNone at the end.
  std::size_t above(std::int32_t rank, std::size_t place);
  std::size_t before(std::int32_t rank, std::size_t place);
  void take_out(std::size_t place);

 private:
  std::size_t first_at_least(std::int32_t rank, double load_s) const;
  std::size_t up(std::int32_t rank, std::size_t place);
  std::size_t down(std::int32_t rank, std::size_t end);

  std::vector<std::uint32_t> threads_;
  std::vector<double> load_s_;
  std::vector<std::size_t> begin_;  // of each rank
  // Union-find over places that were taken out: where to look next.
  std::vector<std::uint32_t> up_, down_;
};

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_SIZE_INDEX_H_
