#ifndef ROAM_RUNTIME_BALANCE_EXCHANGE_H_
#define ROAM_RUNTIME_BALANCE_EXCHANGE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/balance/load_table.h"
#include "runtime/balance/placement.h"

namespace roam::balance {

// Finds what the busiest rank and others had best exchange, so that it is within a ceiling. What is
// looked at is counted, and nothing is found when it has been enough.
class Exchange {
 public:
  using Step = Placement::Step;
  struct Offer {
    std::vector<Step> steps;  // empty: none
    double after_s = 0;       // of the longest of its ranks
    double cost_s = 0;        // of moves that it adds; below 0: saves
    double gain_s = 0;        // over Costs::steps steps, that cost paid
    explicit operator bool() const { return !steps.empty(); }
  };

  // Both are read, `now` whenever something is asked for. The table has the places from where moves
  // are counted.
  Exchange(const LoadTable& table, Placement& now) : table_(table), now_(now) {}

  // What best() is to reach. Where no exchange does at once, it is `frugal` to take what relieves
  // most for its cost, and else what relieves most.
  void aim_at(double ceiling_s, bool frugal) {
    ceiling_s_ = ceiling_s;
    frugal_ = frugal;
  }
  void set_looks(std::size_t looks) { looks_left_ = looks; }
  std::size_t looks_left() const { return looks_left_; }

  // The best that relieves `from`, the busiest rank, and leaves none of the others as busy as it
  // is. In this order, as far as needed: one thread goes; one of a pair is exchanged that has been
  // moved already, so that there is no move more; two are exchanged, or, where memory is limited,
  // all that share a block; one goes, and what is too much where it comes goes on.
  Offer best(std::int32_t from);
  // How `thread` can go back to its place with fewer moves than before, no rank longer than
  // `level_s`.
  Offer return_of(std::uint32_t thread, double level_s);
  // Of moves, where threads are now.
  double cost_s(std::uint32_t thread, std::int32_t rank) const;

 private:
  using Parcel = Placement::Parcel;

  bool look();
  double excess_s(std::int32_t rank) const;
  double wanted_s(std::int32_t from, std::int32_t to) const;
  double more_cost_s(std::uint32_t parcel, std::int32_t from, std::int32_t to) const;
  template <class F>
  void for_each_partner(std::int32_t from, F f) const;
  Offer judged(double before_s, double after_s, double cost_s) const;
  bool better(const Offer& a, const Offer& b, double before_s) const;
  void consider(std::int32_t from, std::int32_t to, const Parcel& give, const Parcel* take,
                Offer& best);
  void consider(std::vector<Step> steps, double before_s, Offer& best);
  Offer one_goes(std::int32_t from);
  Offer trade(std::int32_t from);
  void add_swaps(std::int32_t from, Offer& best);
  Offer chain(std::int32_t from);

  double after_s(std::int32_t rank, std::span<const Step> steps) const;
  double longest_s(std::span<const Step> steps) const;
  double cost_of(std::span<const Step> steps) const;
  std::int32_t place_for(std::uint32_t thread, std::int32_t full, std::int32_t first,
                         double level_s, std::span<const Step> steps) const;
  std::vector<Step> pushed(std::uint32_t thread, std::int32_t to, double level_s);

  const LoadTable& table_;
  Placement& now_;
  double ceiling_s_ = 0;
  bool frugal_ = true;
  std::size_t looks_left_ = 0;
};

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_EXCHANGE_H_
