#include "runtime/balance/pair_division.h"

#include <algorithm>
#include <limits>

#include "runtime/balance/heavy_first.h"

namespace roam::balance {
namespace {

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();
// What an even division leaves, and that part more, is near enough.
constexpr double kNearlyEven = 1.001;
// A side that stays that far above the ceiling gives a long token for some that are at most that
// part of it.
constexpr double kStuck = 1.01, kShort = 0.75;
// For a pair of sums so many parcels on either side of the right size are looked at; more where
// memory is limited, since most do not fit.
constexpr std::size_t kNear = 3, kNearIfLimited = 16;
// So many parcels of a side, evenly spread, are tried with others against them.
constexpr std::size_t kSeeds = 128;
// So many exchanges are looked at for one that is enough, and for any; more where memory is
// limited.
constexpr std::size_t kEnough = 32, kMost = 512, kMostIfLimited = 4096;
// So many exchanges are made at most, and then once more, with much at once before.
constexpr int kMostExchanges = 64, kPasses = 2;
// Sums of the same loads in another order differ by less than this part.
constexpr double kRounding = 1e-12;

std::uint64_t saturated_sum(std::uint64_t a, std::uint64_t b) {
  return a > kUnlimited - b ? kUnlimited : a + b;
}

}  // namespace

PairDivision::PairDivision(const Sums& a, const Sums& b, double goal_s, const Costs& costs,
                           std::span<const std::uint64_t> block_bytes)
    : sums_{a, b},
      goal_s_(goal_s),
      costs_(costs),
      block_bytes_(block_bytes),
      limited_(a.room_bytes != kUnlimited || b.room_bytes != kUnlimited),
      load_s_{a.load_s, b.load_s} {}

void PairDivision::add(int side, const Token& token) {
  const double more_s = DiffusionRank::cost_s(token, sums_[1], costs_) -
                        DiffusionRank::cost_s(token, sums_[0], costs_);
  items_.push_back({token, side, more_s});
  if (limited()) add_bytes(side, token);
}

bool PairDivision::divide() {
  const double even_s = (load_s_[0] + load_s_[1]) / (sums_[0].speed + sums_[1].speed);
  ceiling_s_ = std::max(goal_s_, even_s * kNearlyEven);
  for (int side = 0; side < 2; ++side)
    most_bytes_[side] = saturated_sum(bytes_[side], sums_[side].room_bytes);
  for (int pass = 0; pass < kPasses && above_ceiling(); ++pass) {
    give_in_bulk();
    sort_rows();
    int left = kMostExchanges;
    while (left > 0 && exchange()) --left;
    if (left == 0) continue;  // what is left may be much
    if (time_s(busier_) > kStuck * ceiling_s_) break_up();
    break;
  }
  return changed_;
}

bool PairDivision::above_ceiling() {
  busier_ = time_s(1) > time_s(0) ? 1 : 0;
  return time_s(busier_) > ceiling_s_;
}

double PairDivision::least_s() const {
  return load_s_[busier_] - ceiling_s_ * sums_[busier_].speed;
}

double PairDivision::most_s() const {
  return ceiling_s_ * sums_[1 - busier_].speed - load_s_[1 - busier_];
}

// ---- much at once ----

// Where the longest token that could go is a small part of what is to go: the longest first, of
// about equal ones those that cost least. What shares a block goes by exchanges only.
void PairDivision::give_in_bulk() {
  const int from = busier_;
  double left_s = least_s(), longest_s = 0;
  struct Candidate {
    int size_class;
    double cost_s;
    std::uint32_t index;
  };
  std::vector<Candidate> candidates;
  for (std::uint32_t i = 0; i < items_.size(); ++i) {
    const Item& item = items_[i];
    if (item.side != from || !may_go(item) || (by_block() && item.token.block >= 0)) continue;
    const double load_s = item.token.load_s, cost_s = from == 0 ? item.more_s : -item.more_s;
    if (!DiffusionRank::pays(load_s, sums_[from].speed, cost_s, costs_) || !fits_alone(item))
      continue;
    longest_s = std::max(longest_s, load_s);
    candidates.push_back({size_class(load_s), cost_s, i});
  }
  if (left_s < static_cast<double>(kMostParcels) * longest_s) return;
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    if (a.size_class != b.size_class) return a.size_class > b.size_class;
    return a.cost_s != b.cost_s ? a.cost_s < b.cost_s : a.index < b.index;
  });
  for (const Candidate& c : candidates) {
    Item& item = items_[c.index];
    if (item.token.load_s > left_s || !fits_alone(item)) continue;
    left_s -= item.token.load_s;
    move(item);
  }
}

void PairDivision::sort_rows() {
  for (Row& row : rows_) {
    row.clear();
    row.reserve(items_.size());
  }
  for (std::uint32_t i = 0; i < items_.size(); ++i) {
    if (may_go(items_[i])) rows_[items_[i].side].push_back(parcel_of(i));
  }
  if (by_block()) add_blocks();
  for (Row& row : rows_) std::sort(row.begin(), row.end(), shorter);
}

void PairDivision::add_blocks() {
  struct Sum {
    double load_s = 0, more_s = 0;
    int tokens = 0;
  };
  std::map<std::int32_t, Sum> blocks[2];
  for (const Item& item : items_) {
    if (!may_go(item) || item.token.block < 0) continue;
    Sum& sum = blocks[item.side][item.token.block];
    sum.load_s += item.token.load_s;
    sum.more_s += item.more_s;
    ++sum.tokens;
  }
  const auto count = static_cast<std::uint32_t>(items_.size());
  for (int side = 0; side < 2; ++side) {
    for (const auto& [block, sum] : blocks[side]) {
      if (sum.tokens > 1)
        rows_[side].push_back({sum.load_s, count + static_cast<std::uint32_t>(block), sum.more_s});
    }
  }
}

// ---- exchanges ----

// Makes the best one; false if none helps.
bool PairDivision::exchange() {
  if (!above_ceiling()) return false;
  best_ = {};
  looks_ = limited() ? kMostIfLimited : kMost;
  const double least = least_s(), most = most_s();
  look_beside(busier_, least, most, nullptr);
  for (const int side : {busier_, 1 - busier_}) {
    const Row& row = rows_[side];
    const std::size_t stride = row.size() / kSeeds + 1;
    for (std::size_t k = 0; k < row.size() && looks_ > 0; k += stride) {
      const double load_s = row[k].load_s;
      if (side == busier_)
        look_beside(1 - side, load_s - most, load_s - least, &row[k]);
      else
        look_beside(1 - side, load_s + least, load_s + most, &row[k]);
    }
  }
  if (!(best_.gain_s > 0)) return false;
  carry_out(best_);
  return true;
}

// Where nothing helps, the busier side gets several short tokens for one of its longest, so that it
// has what it can divide with the next partner. Neither side gets longer than the busier one is.
void PairDivision::break_up() {
  const Row &mine = rows_[busier_], &theirs = rows_[1 - busier_];
  const double room_s = time_s(busier_) * sums_[1 - busier_].speed - load_s_[1 - busier_];
  for (std::size_t k = mine.size(); k-- > mine.size() - std::min(mine.size(), kNear);) {
    Exchange offer;
    offer.side = 1 - busier_;
    offer.seed = &mine[k];
    offer.cost_s = more_cost_s(busier_, mine[k]);
    double left_s = mine[k].load_s;
    for (std::size_t at = theirs.size(); at-- > 0 && offer.count < kMostParcels;) {
      const Parcel& take = theirs[at];
      if (take.load_s > std::min(left_s, kShort * mine[k].load_s) || overlaps(offer, take))
        continue;
      offer.parcels[offer.count++] = take;
      offer.cost_s += more_cost_s(offer.side, take);
      left_s -= take.load_s;
    }
    const bool pays = costs_.steps * (time_s(busier_) - ceiling_s_) > offer.cost_s;
    if (offer.count < 2 || left_s > room_s || !pays || !has_room(offer)) continue;
    return carry_out(offer);
  }
}

// Looks at parcels of `side` that sum up to about that, as the ones that go one way, with `seed`
// going the other.
void PairDivision::look_beside(int side, double least_s, double most_s, const Parcel* seed) {
  const Row& row = rows_[side];
  if (row.empty() || most_s <= 0) return;
  const auto at = static_cast<std::size_t>(
      std::lower_bound(row.begin(), row.end(), least_s,
                       [](const Parcel& p, double s) { return p.load_s < s; }) -
      row.begin());
  const std::size_t near = limited() ? kNearIfLimited : kNear;
  for (std::size_t k = at - std::min(at, near); k < std::min(at + near, row.size()); ++k) {
    Exchange offer;
    offer.side = side;
    offer.seed = seed;
    if (seed != nullptr) {
      offer.given_s = seed->load_s * (side == busier_ ? -1 : 1);
      offer.cost_s = more_cost_s(1 - side, *seed);
    }
    fill(k, most_s, offer);
    if (looks_ == 0) return;
  }
}

// The parcel at `first`, and then as long as something is missing the longest that fits.
void PairDivision::fill(std::size_t first, double most_s, Exchange& offer) {
  const Row& row = rows_[offer.side];
  double left_s = most_s;
  for (std::size_t at = first; offer.count < kMostParcels && looks_ > 0;) {
    const Parcel& parcel = row[at];
    if (!overlaps(offer, parcel)) {
      offer.parcels[offer.count++] = parcel;
      left_s -= parcel.load_s;
      offer.given_s += parcel.load_s * (offer.side == busier_ ? 1 : -1);
      offer.cost_s += more_cost_s(offer.side, parcel);
      consider(offer);
    }
    const auto end = row.begin() + static_cast<std::ptrdiff_t>(at);
    const auto next = std::upper_bound(row.begin(), end, left_s,
                                       [](double s, const Parcel& p) { return s < p.load_s; });
    if (next == row.begin()) return;
    at = static_cast<std::size_t>(next - row.begin()) - 1;
  }
}

// Whether a token of `parcel` goes in `offer` already.
bool PairDivision::overlaps(const Exchange& offer, const Parcel& parcel) const {
  const auto count = static_cast<std::uint32_t>(items_.size());
  const auto block = [&](const Parcel& p) {
    return p.id >= count ? static_cast<std::int32_t>(p.id - count) : items_[p.id].token.block;
  };
  for (std::size_t k = 0; k < offer.count; ++k) {
    const Parcel& other = offer.parcels[k];
    if ((other.id >= count || parcel.id >= count) && block(other) == block(parcel)) return true;
  }
  return false;
}

void PairDivision::consider(Exchange& offer) {
  --looks_;
  const double before_s = time_s(busier_);
  const double after_s =
      std::max((load_s_[busier_] - offer.given_s) / sums_[busier_].speed,
               (load_s_[1 - busier_] + offer.given_s) / sums_[1 - busier_].speed);
  if (!(after_s < before_s * (1 - kRounding))) return;
  offer.gain_s = costs_.steps * (before_s - std::max(after_s, ceiling_s_)) - offer.cost_s;
  if (!(offer.gain_s > best_.gain_s) || !has_room(offer)) return;
  best_ = offer;
  if (after_s <= ceiling_s_) looks_ = std::min(looks_, kEnough);
}

template <class F>
void PairDivision::for_each_item(int side, const Parcel& parcel, F f) const {
  const auto count = static_cast<std::uint32_t>(items_.size());
  if (parcel.id < count) return f(parcel.id);
  const auto block = static_cast<std::int32_t>(parcel.id - count);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (items_[i].side == side && items_[i].token.block == block && may_go(items_[i])) f(i);
  }
}

template <class F>
void PairDivision::for_each_item(const Exchange& exchange, F f) const {
  if (exchange.seed != nullptr) for_each_item(1 - exchange.side, *exchange.seed, f);
  for (std::size_t k = 0; k < exchange.count; ++k)
    for_each_item(exchange.side, exchange.parcels[k], f);
}

void PairDivision::carry_out(const Exchange& exchange) {
  std::vector<std::uint32_t> moved;
  for_each_item(exchange, [&](std::uint32_t i) { moved.push_back(i); });
  for (const std::uint32_t i : moved) move(items_[i]);
  if (by_block()) return sort_rows();
  for (const std::uint32_t i : moved) {
    const Parcel parcel = parcel_of(i);
    Row &from = rows_[1 - items_[i].side], &to = rows_[items_[i].side];
    from.erase(std::lower_bound(from.begin(), from.end(), parcel, shorter));
    to.insert(std::lower_bound(to.begin(), to.end(), parcel, shorter), parcel);
  }
}

void PairDivision::move(Item& item) {
  if (limited()) {
    drop_bytes(item.side, item.token);
    add_bytes(1 - item.side, item.token);
  }
  load_s_[item.side] -= item.token.load_s;
  item.side = 1 - item.side;
  load_s_[item.side] += item.token.load_s;
  changed_ = true;
}

// ---- memory ----

void PairDivision::add_bytes(int side, const Token& token) {
  bytes_[side] += token.bytes;
  if (by_block() && token.block >= 0 && sharers_[side][token.block]++ == 0)
    bytes_[side] += block_bytes_[static_cast<std::size_t>(token.block)];
}

void PairDivision::drop_bytes(int side, const Token& token) {
  bytes_[side] -= token.bytes;
  if (by_block() && token.block >= 0 && --sharers_[side][token.block] == 0)
    bytes_[side] -= block_bytes_[static_cast<std::size_t>(token.block)];
}

bool PairDivision::has_room(const Exchange& exchange) {
  if (!limited()) return true;
  for_each_item(exchange, [&](std::uint32_t i) {
    drop_bytes(items_[i].side, items_[i].token);
    add_bytes(1 - items_[i].side, items_[i].token);
  });
  const bool room = fits();
  for_each_item(exchange, [&](std::uint32_t i) {
    drop_bytes(1 - items_[i].side, items_[i].token);
    add_bytes(items_[i].side, items_[i].token);
  });
  return room;
}

}  // namespace roam::balance
