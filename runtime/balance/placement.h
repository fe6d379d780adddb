#ifndef ROAM_RUNTIME_BALANCE_PLACEMENT_H_
#define ROAM_RUNTIME_BALANCE_PLACEMENT_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/balance/load_table.h"

namespace roam::balance {

// Where threads are while a plan is being changed: what each rank computes and has of memory, and
// which of its threads may go. Changes are of several threads at once, so that ranks that are full
// can exchange them.
class Placement {
 public:
  // A thread of the table and the rank that it goes to.
  struct Step {
    std::uint32_t thread;
    std::int32_t to;
  };
  // What goes as one: a thread by its index, or all threads of a rank that share a block: the
  // number of threads and that of the block added up.
  struct Parcel {
    double load_s;
    std::uint32_t id;
  };

  // The table is read as long as this lives. No rank gets fuller than its limit, or than it is with
  // `start`.
  Placement(const LoadTable& table, const Plan& start);

  const Plan& plan() const { return plan_; }
  std::int32_t rank_of(std::uint32_t thread) const { return plan_.rank_of[thread]; }
  double load_s(std::int32_t rank) const { return load_s_[index(rank)]; }
  double time_s(std::int32_t rank) const { return load_s_[index(rank)] / speed(rank); }
  double speed(std::int32_t rank) const { return table_.ranks[index(rank)].speed; }
  std::int32_t busiest() const { return by_time_.rbegin()->second; }
  // Ranks and when they are through, the first first.
  const std::set<std::pair<double, std::int32_t>>& by_time() const { return by_time_; }

  // The threads of a rank that can move and have a load, the shortest first; of equal ones, those
  // that send the fewest bytes.
  std::span<const Parcel> threads_of(std::int32_t rank);
  // The same, and where memory is limited what shares a block as one besides.
  std::vector<Parcel> parcels_of(std::int32_t rank);
  // The threads whose place in the table is `rank` and who are elsewhere.
  const std::vector<std::uint32_t>& away_from(std::int32_t rank) const {
    return away_[index(rank)];
  }
  // Calls `f` with the index of each thread of a parcel of `rank`.
  template <class F>
  void for_each_thread(std::int32_t rank, std::uint32_t parcel, F f) const {
    if (parcel < table_.threads.size()) return f(parcel);
    const auto block = static_cast<std::int32_t>(parcel - table_.threads.size());
    for (const Parcel& p : threads_[index(rank)]) {
      if (table_.threads[p.id].block == block) f(p.id);
    }
  }

  bool limited() const { return limited_; }
  // Whether all ranks have room when all of these threads, each named once, have gone.
  bool has_room(std::span<const Step> steps);
  // REQUIRES: has_room(steps). Returns the steps that lead back.
  std::vector<Step> carry_out(std::span<const Step> steps);

 private:
  static std::size_t index(std::int32_t rank) { return static_cast<std::size_t>(rank); }
  static std::uint64_t sharing(std::int32_t rank, std::int32_t block) {
    return static_cast<std::uint64_t>(rank) << 32 | static_cast<std::uint32_t>(block);
  }
  std::uint64_t block_bytes(std::int32_t block) const {
    return table_.block_bytes[static_cast<std::size_t>(block)];
  }
  bool before(const Parcel& a, const Parcel& b) const;
  void add_load(std::int32_t rank, double load_s);
  void take_bytes(std::uint32_t thread, std::int32_t rank);
  void drop_bytes(std::uint32_t thread, std::int32_t rank);

  const LoadTable& table_;
  Plan plan_;
  std::vector<double> load_s_;  // of each rank, as all others
  // The threads of a rank lie here until it is first asked for them: few are.
  std::vector<std::size_t> begin_;
  std::vector<std::uint32_t> first_;
  std::vector<std::vector<Parcel>> threads_;
  std::vector<bool> sorted_;
  std::vector<std::vector<std::uint32_t>> away_;
  std::set<std::pair<double, std::int32_t>> by_time_;
  bool limited_ = false;
  // Only where memory is limited.
  std::vector<std::uint64_t> bytes_, most_bytes_;
  std::unordered_map<std::uint64_t, std::uint32_t> sharers_;  // of a block on a rank, by sharing()
};

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_PLACEMENT_H_
