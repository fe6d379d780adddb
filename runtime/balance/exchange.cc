#include "runtime/balance/exchange.h"

#include <algorithm>
#include <utility>

namespace roam::balance {
namespace {

using Parcel = Placement::Parcel;

// The busiest rank looks at so many others, those that are through first.
constexpr int kPartners = 16;
// ... and for each of them at so many threads on either side of the right size; at more where
// memory is limited, since most do not fit.
constexpr std::size_t kNear = 4, kNearIfLimited = 16;
// So many swaps are looked at for one that brings the busiest rank to the ceiling, and so many
// swaps, or trades, for any.
constexpr std::size_t kEnough = 256, kMost = 2048;
// A trade, which costs nothing, is taken if it relieves at least that part of the excess.
constexpr double kWorthTrading = 0.5;
// So many threads go on at most where one comes, in a chain.
constexpr std::size_t kMostEvicted = 4;
// Chains are tried up to the ceiling, then up to so many levels between it and the busiest rank.
constexpr int kLevels = 4;
// Sums of the same costs in another order differ by less.
constexpr double kRoundingS = 1e-12;
// Moves that cost less are weighed as if they cost that.
constexpr double kLeastCostS = 1e-9;

// The first of them that is at least as long as that.
std::size_t first_from(std::span<const Parcel> parcels, double load_s) {
  const auto at = std::lower_bound(parcels.begin(), parcels.end(), load_s,
                                   [](const Parcel& p, double s) { return p.load_s < s; });
  return static_cast<std::size_t>(at - parcels.begin());
}

// Calls `f` with those of about that length.
template <class F>
void for_each_near(std::span<const Parcel> parcels, double load_s, std::size_t near, F f) {
  const std::size_t at = first_from(parcels, load_s);
  for (std::size_t k = at - std::min(at, near); k < std::min(at + near, parcels.size()); ++k)
    f(parcels[k]);
}

}  // namespace

// ---- what one exchange is worth ----

bool Exchange::look() {
  if (looks_left_ == 0) return false;
  --looks_left_;
  return true;
}

double Exchange::excess_s(std::int32_t rank) const {
  return now_.load_s(rank) - ceiling_s_ * now_.speed(rank);
}

// What `from` is to give to `to` at least: it is within the ceiling then, or both are even.
double Exchange::wanted_s(std::int32_t from, std::int32_t to) const {
  const double a = now_.speed(from), b = now_.speed(to);
  return std::min(excess_s(from), (now_.load_s(from) * b - now_.load_s(to) * a) / (a + b));
}

double Exchange::cost_s(std::uint32_t i, std::int32_t rank) const {
  const ThreadLoad& thread = table_.threads[i];
  if (thread.rank == rank) return 0;
  return table_.costs.move_s(!table_.same_node(thread.rank, rank), thread.bytes);
}

double Exchange::more_cost_s(std::uint32_t parcel, std::int32_t from, std::int32_t to) const {
  double more_s = 0;
  now_.for_each_thread(from, parcel,
                       [&](std::uint32_t i) { more_s += cost_s(i, to) - cost_s(i, from); });
  return more_s;
}

Exchange::Offer Exchange::judged(double before_s, double after_s, double cost_s) const {
  const double relief_s = before_s - std::max(after_s, ceiling_s_);
  return {{}, after_s, cost_s, after_s < before_s ? table_.costs.steps * relief_s - cost_s : 0};
}

// Whether `a` is the better one of two that relieve a rank which computes `before_s`.
bool Exchange::better(const Offer& a, const Offer& b, double before_s) const {
  if (!(a.gain_s > 0) || !b) return a.gain_s > 0;
  const bool a_enough = a.after_s <= ceiling_s_, b_enough = b.after_s <= ceiling_s_;
  if (!frugal_ || (a_enough && b_enough)) return a.gain_s > b.gain_s;
  if (a_enough != b_enough) return a_enough;
  // What more moves follow is not known: by relief for cost.
  return (before_s - a.after_s) * std::max(b.cost_s, kLeastCostS) >
         (before_s - b.after_s) * std::max(a.cost_s, kLeastCostS);
}

void Exchange::consider(std::int32_t from, std::int32_t to, const Parcel& give, const Parcel* take,
                        Offer& best) {
  if (!look()) return;
  const double less_s = give.load_s - (take == nullptr ? 0 : take->load_s);
  const double before_s = now_.time_s(from);
  const double after_s = std::max((now_.load_s(from) - less_s) / now_.speed(from),
                                  (now_.load_s(to) + less_s) / now_.speed(to));
  if (!(after_s < before_s)) return;
  double cost_s = more_cost_s(give.id, from, to);
  if (take != nullptr) cost_s += more_cost_s(take->id, to, from);
  Offer offer = judged(before_s, after_s, cost_s);
  if (!better(offer, best, before_s)) return;
  now_.for_each_thread(from, give.id, [&](std::uint32_t i) { offer.steps.push_back({i, to}); });
  if (take != nullptr)
    now_.for_each_thread(to, take->id, [&](std::uint32_t i) { offer.steps.push_back({i, from}); });
  if (now_.has_room(offer.steps)) best = std::move(offer);
}

void Exchange::consider(std::vector<Step> steps, double before_s, Offer& best) {
  Offer offer = judged(before_s, longest_s(steps), cost_of(steps));
  if (!better(offer, best, before_s) || !now_.has_room(steps)) return;
  offer.steps = std::move(steps);
  best = std::move(offer);
}

template <class F>
void Exchange::for_each_partner(std::int32_t from, F f) const {
  int left = kPartners;
  for (const auto& [time_s, rank] : now_.by_time()) {
    if (left-- == 0 || !(time_s < now_.time_s(from))) return;
    f(rank);
  }
}

// ---- one thread, or two ----

Exchange::Offer Exchange::best(std::int32_t from) {
  const std::span<const Parcel> mine = now_.threads_of(from);
  if (mine.empty()) return {};
  Offer best = one_goes(from);
  if (!best || best.cost_s > 0) {
    if (Offer other = trade(from)) return other;
  }
  if (best && best.after_s <= ceiling_s_) return best;
  // Where one thread is not enough, swaps wait until it is about the last.
  if (!best || mine.back().load_s >= excess_s(from)) add_swaps(from, best);
  return best ? best : chain(from);
}

Exchange::Offer Exchange::one_goes(std::int32_t from) {
  Offer best;
  const std::span<const Parcel> mine = now_.threads_of(from);
  for_each_partner(from, [&](std::int32_t to) {
    const auto give = [&](const Parcel& parcel) { consider(from, to, parcel, nullptr, best); };
    for_each_near(mine, wanted_s(from, to), kNear, give);
    if (const double gap_s = -excess_s(to); gap_s < excess_s(from))
      for_each_near(mine, gap_s, kNear, give);
  });
  return best;
}

// A guest goes back to the rank that the table has it on, and another comes in its place; or one
// that is away comes back, and another goes there.
Exchange::Offer Exchange::trade(std::int32_t from) {
  Offer best;
  const std::span<const Parcel> mine = now_.threads_of(from);
  const double before_s = now_.time_s(from);
  const std::size_t most = looks_left_ - std::min(looks_left_, kMost);
  for (const Parcel& guest : mine) {
    if (looks_left_ < most) break;
    const std::int32_t back = table_.threads[guest.id].rank;
    if (back == from || !(now_.time_s(back) < before_s)) continue;
    for_each_near(now_.threads_of(back), guest.load_s - wanted_s(from, back), kNear,
                  [&](const Parcel& take) { consider(from, back, guest, &take, best); });
  }
  for (const std::uint32_t i : now_.away_from(from)) {
    if (looks_left_ < most) break;
    const std::int32_t to = now_.rank_of(i);
    if (table_.threads[i].load_s == 0 || !(now_.time_s(to) < before_s)) continue;
    const Parcel take{table_.threads[i].load_s, i};
    for_each_near(mine, take.load_s + wanted_s(from, to), kNear,
                  [&](const Parcel& give) { consider(from, to, give, &take, best); });
  }
  const double least_s = kWorthTrading * (before_s - ceiling_s_);
  return best.cost_s <= 0 && before_s - best.after_s >= least_s ? best : Offer{};
}

void Exchange::add_swaps(std::int32_t from, Offer& best) {
  const std::vector<Parcel> mine = now_.parcels_of(from);
  const std::size_t near = now_.limited() ? kNearIfLimited : kNear;
  const std::size_t enough = looks_left_ - std::min(looks_left_, kEnough);
  const std::size_t most = looks_left_ - std::min(looks_left_, kMost);
  for_each_partner(from, [&](std::int32_t to) {
    const std::vector<Parcel> theirs = now_.parcels_of(to);
    const double least_s = wanted_s(from, to);
    for (const Parcel& give : mine) {
      if (best && looks_left_ < (best.after_s <= ceiling_s_ ? enough : most)) return;
      if (give.id >= table_.threads.size()) consider(from, to, give, nullptr, best);
      for_each_near(theirs, give.load_s - least_s, near,
                    [&](const Parcel& take) { consider(from, to, give, &take, best); });
    }
  });
}

// ---- chains ----

double Exchange::after_s(std::int32_t rank, std::span<const Step> steps) const {
  double load_s = now_.load_s(rank);
  for (const auto& [i, to] : steps) {
    if (now_.rank_of(i) == rank) load_s -= table_.threads[i].load_s;
    if (to == rank) load_s += table_.threads[i].load_s;
  }
  return load_s / now_.speed(rank);
}

double Exchange::longest_s(std::span<const Step> steps) const {
  double longest_s = 0;
  for (const Step& step : steps) {
    longest_s =
        std::max({longest_s, after_s(step.to, steps), after_s(now_.rank_of(step.thread), steps)});
  }
  return longest_s;
}

double Exchange::cost_of(std::span<const Step> steps) const {
  double sum_s = 0;
  for (const auto& [i, to] : steps) sum_s += cost_s(i, to) - cost_s(i, now_.rank_of(i));
  return sum_s;
}

// Where a thread goes on that the rank `full` cannot keep: to its rank of the table, to `first`, or
// where it leaves little room; -1: nowhere.
std::int32_t Exchange::place_for(std::uint32_t i, std::int32_t full, std::int32_t first,
                                 double level_s, std::span<const Step> steps) const {
  const double load_s = table_.threads[i].load_s;
  const auto fits = [&](std::int32_t rank) {
    return rank != full && after_s(rank, steps) + load_s / now_.speed(rank) <= level_s;
  };
  for (const std::int32_t rank : {table_.threads[i].rank, first}) {
    if (fits(rank)) return rank;
  }
  auto at = now_.by_time().upper_bound({level_s - load_s / now_.speed(full), -1});
  for (std::size_t k = 0; k < 2 * kNear && at != now_.by_time().begin(); ++k) {
    if (fits((--at)->second)) return at->second;
  }
  return -1;
}

// `thread` goes to `to`, and what is too much there goes on. None if a rank is above `level_s`
// then.
std::vector<Exchange::Step> Exchange::pushed(std::uint32_t thread, std::int32_t to,
                                             double level_s) {
  const std::int32_t from = now_.rank_of(thread);
  std::vector<Step> steps{{thread, to}};
  if (!look() || after_s(from, steps) > level_s) return {};
  const std::span<const Parcel> theirs = now_.threads_of(to);
  const auto goes_on = [&](const Parcel& parcel) {
    const auto is_it = [&](const Step& step) { return step.thread == parcel.id; };
    if (std::any_of(steps.begin(), steps.end(), is_it)) return false;
    if (!look()) return false;
    const std::int32_t place = place_for(parcel.id, to, from, level_s, steps);
    if (place >= 0) steps.push_back({parcel.id, place});
    return place >= 0;
  };
  for (double over_s; (over_s = after_s(to, steps) - level_s) > 0;) {
    if (steps.size() > kMostEvicted) return {};
    // The shortest that is enough, else the longest that is not.
    const std::size_t at = first_from(theirs, over_s * now_.speed(to));
    const auto middle = theirs.begin() + static_cast<std::ptrdiff_t>(at);
    const std::span<const Parcel> longer(middle, std::min(kNear, theirs.size() - at));
    const std::span<const Parcel> shorter(
        middle - static_cast<std::ptrdiff_t>(std::min(at, 2 * kNear)), middle);
    if (std::none_of(longer.begin(), longer.end(), goes_on) &&
        std::none_of(shorter.rbegin(), shorter.rend(), goes_on))
      return {};
  }
  return steps;
}

Exchange::Offer Exchange::chain(std::int32_t from) {
  Offer best;
  const double before_s = now_.time_s(from);
  for (int k = 0; k < kLevels && !best; ++k) {
    const double level_s = ceiling_s_ + (before_s - ceiling_s_) * k / kLevels;
    for_each_partner(from, [&](std::int32_t to) {
      for (const Parcel& give : now_.threads_of(from)) {
        if (std::vector<Step> steps = pushed(give.id, to, level_s); !steps.empty())
          consider(std::move(steps), before_s, best);
      }
    });
  }
  return best;
}

Exchange::Offer Exchange::return_of(std::uint32_t thread, double level_s) {
  std::vector<Step> steps = pushed(thread, table_.threads[thread].rank, level_s);
  if (steps.empty()) return {};
  const double cost_s = cost_of(steps);
  if (!(cost_s < -kRoundingS) || !now_.has_room(steps)) return {};
  const double after_s = longest_s(steps);
  return {std::move(steps), after_s, cost_s, -cost_s};
}

}  // namespace roam::balance
