#ifndef ROAM_RUNTIME_BALANCE_PAIR_DIVISION_H_
#define ROAM_RUNTIME_BALANCE_PAIR_DIVISION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "runtime/balance/diffusion_rank.h"
#include "runtime/balance/load_table.h"

namespace roam::balance {

// Two ranks divide anew what both have: the busier one gives tokens away, and gets others for them,
// until both are within a ceiling or nothing helps that pays. It is the goal, or what an even
// division leaves if that is more. A rank that is left above it gets short tokens for a long one,
// for its next partner. No rank gets longer than the longer one was, nor fuller than it has room
// for when all have moved, so that ranks that are full can exchange.
//
// Cost: O(tokens log tokens) and a bounded number of looks, at O(log tokens) each, and O(tokens)
// for each that goes by block and would pay. Equal tokens in equal order are divided equally.
class PairDivision {
  using Sums = DiffusionRank::Sums;
  using Token = DiffusionRank::Token;

 public:
  // `block_bytes` as in a LoadTable: of the blocks that tokens name. It is read as long as this
  // lives.
  PairDivision(const Sums& a, const Sums& b, double goal_s, const Costs& costs,
               std::span<const std::uint64_t> block_bytes);

  void reserve(std::size_t tokens) { items_.reserve(tokens); }
  // One that `side`, 0 or 1, has. The load of those that are not added stays where it is.
  // REQUIRES: without limits of memory or blocks, or all tokens of a block are added.
  void add(int side, const Token& token);
  // Once, when all are added. True if a token changes its side.
  bool divide();
  template <class F>
  void for_each(F f) const {  // f(side, token), in the order in which they were added
    for (const Item& item : items_) f(item.side, item.token);
  }

 private:
  struct Item {
    Token token;
    int side;
    double more_s;  // that its move costs on side 1 more than on side 0
  };
  // What goes as one: a token, or all of a side that share a block: the number of items and that of
  // the block added up.
  struct Parcel {
    double load_s;
    std::uint32_t id;
    double more_s;  // as of an Item
  };
  static constexpr std::size_t kMostParcels = 4;
  // What the busier side gives and gets: one parcel, `seed`, or none on one side, up to
  // kMostParcels on the other.
  struct Exchange {
    std::array<Parcel, kMostParcels> parcels;
    std::size_t count = 0;
    int side = 0;  // theirs
    const Parcel* seed = nullptr;
    double given_s = 0;  // load that goes from the side `busier_`, all in all
    double cost_s = 0;
    double gain_s = 0;
  };
  using Row = std::vector<Parcel>;

  double time_s(int side) const { return load_s_[side] / sums_[side].speed; }
  // Finds out which side is the busier one, and whether it is above the ceiling.
  bool above_ceiling();
  // What `busier_` is to give at least, and may give at most, so that both are within the ceiling.
  double least_s() const;
  double most_s() const;
  static bool may_go(const Item& item) { return !item.token.fixed && item.token.load_s > 0; }
  static bool shorter(const Parcel& a, const Parcel& b) {
    return a.load_s != b.load_s ? a.load_s < b.load_s : a.id < b.id;
  }
  void sort_rows();
  void add_blocks();
  void give_in_bulk();
  bool exchange();
  void break_up();
  void look_beside(int side, double least_s, double most_s, const Parcel* seed);
  void fill(std::size_t first, double most_s, Exchange& offer);
  bool overlaps(const Exchange& offer, const Parcel& parcel) const;
  void consider(Exchange& offer);
  template <class F>
  void for_each_item(int side, const Parcel& parcel, F f) const;
  template <class F>
  void for_each_item(const Exchange& exchange, F f) const;
  Parcel parcel_of(std::uint32_t item) const {
    return {items_[item].token.load_s, item, items_[item].more_s};
  }
  static double more_cost_s(int from, const Parcel& parcel) {
    return from == 0 ? parcel.more_s : -parcel.more_s;
  }
  void carry_out(const Exchange& exchange);
  void move(Item& item);

  bool limited() const { return limited_; }
  // Whether what shares a block also goes as one.
  bool by_block() const { return limited_ && !block_bytes_.empty(); }
  void add_bytes(int side, const Token& token);
  void drop_bytes(int side, const Token& token);
  // Whether the other side has room for it now, whatever blocks are.
  bool fits_alone(const Item& item) const {
    const int to = 1 - item.side;
    return !limited() ||
           (bytes_[to] <= most_bytes_[to] && item.token.bytes <= most_bytes_[to] - bytes_[to]);
  }
  bool fits() const { return bytes_[0] <= most_bytes_[0] && bytes_[1] <= most_bytes_[1]; }
  bool has_room(const Exchange& exchange);

  const Sums sums_[2];
  const double goal_s_;
  const Costs& costs_;
  const std::span<const std::uint64_t> block_bytes_;
  const bool limited_;
  double load_s_[2];
  double ceiling_s_ = 0;
  std::vector<Item> items_;
  Row rows_[2];  // the shortest first
  int busier_ = 0;
  Exchange best_;
  std::size_t looks_ = 0;  // at exchanges that may yet be made
  bool changed_ = false;
  // Only where memory is limited: of what was added.
  std::uint64_t bytes_[2] = {}, most_bytes_[2] = {};
  std::map<std::int32_t, std::uint32_t> sharers_[2];  // of blocks
};

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_PAIR_DIVISION_H_
