#include "runtime/balance/exchange_moves.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "runtime/balance/exchange.h"
#include "runtime/balance/mixed.h"
#include "runtime/balance/placement.h"

namespace roam::balance {
namespace {

// Looks for the first exchanges: about twice what the tables of docs/balancing.md need, with what
// may be won besides.
constexpr std::size_t kLooksOfThread = 32;
// That part of what can be won may go into a decision, whose looks take so long (20 ns each,
// 2026-11, five times), and no more looks than that, together and of a thread.
constexpr double kPart = 0.01, kLookS = 1e-7, kMostLooks = 100'000, kMostOfThread = 1'000;
// Threads are sent back in so many passes at most.
constexpr int kPasses = 8;
// Sums of the same loads or costs in another order differ by less than this part.
constexpr double kRounding = 1e-12;
constexpr std::size_t kLooksOfRound = 16;
// Going over so many ranks or threads takes as long as a look.
constexpr std::size_t kWalkedInALook = 16;
// Moves that one round undoes: those from or to so many ranks, or one in so many.
constexpr std::uint64_t kRanksOfRound = 4;
// Other threads that a round moves at random, fewer than that.
constexpr std::uint64_t kStrays = 3;
// One round in so many aims at the ceiling where it has not been reached, the others at no more
// than what has.
constexpr std::uint64_t kRoundsToAimLow = 4;

class Exchanger {
  using Step = Placement::Step;

 public:
  Exchanger(const LoadTable& table, const Plan& start, double ceiling_s)
      : table_(table), ceiling_s_(ceiling_s), now_(table, start), exchange_(table, now_) {
    for (const std::uint32_t i : away()) cost_s_ += exchange_.cost_s(i, now_.rank_of(i));
  }

  Plan run(std::size_t looks) {
    const std::size_t first = kLooksOfThread * table_.threads.size() + 2 * looks;
    const Plan start = now_.plan();
    even_out(first, /*frugal=*/true);
    if (longest_s() > ceiling_s_) {
      const Plan frugal = now_.plan();
      const Score its = score();
      go_to(start);
      even_out(first, /*frugal=*/false);
      if (!(score() <= its)) go_to(frugal);
    }
    exchange_.set_looks(looks);
    for (std::uint64_t round = 0; exchange_.looks_left() > 0; ++round) {
      const std::vector<std::uint32_t> guests = away();
      // Of so many a round undoes too many for the rounds that are left.
      if (guests.empty() || guests.size() * kLooksOfRound > looks) break;
      // So that a round that finds nothing to look at counts too.
      exchange_.set_looks(exchange_.looks_left() - std::min(exchange_.looks_left(), round_looks()));
      polish(round, guests);
    }
    return now_.plan();
  }

 private:
  // The less, the better.
  struct Score {
    double step_s, cost_s;
    bool operator<=(const Score& other) const {
      return step_s != other.step_s ? step_s < other.step_s
                                    : cost_s <= other.cost_s * (1 + kRounding);
    }
  };
  // What leads back from a change, and how long the longest rank was before it.
  struct Done {
    std::vector<Step> back;
    double before_s;
  };

  // A round goes over all ranks, and over the threads of some.
  std::size_t round_looks() {
    return std::max({kLooksOfRound, table_.ranks.size() / kWalkedInALook,
                     now_.threads_of(now_.busiest()).size() / kWalkedInALook});
  }
  double longest_s() const { return now_.time_s(now_.busiest()); }
  Score score() const { return {std::max(ceiling_s_, longest_s()), cost_s_}; }

  std::vector<Step> apply(std::span<const Step> steps) {
    for (const auto& [i, to] : steps)
      cost_s_ += exchange_.cost_s(i, to) - exchange_.cost_s(i, now_.rank_of(i));
    return now_.carry_out(steps);
  }
  void carry_out(std::span<const Step> steps) {
    const double before_s = longest_s();
    done_.push_back({apply(steps), before_s});
  }
  void undo() {
    apply(done_.back().back);
    done_.pop_back();
  }
  void go_to(const Plan& plan) {
    std::vector<Step> steps;
    for (std::uint32_t i = 0; i < plan.rank_of.size(); ++i)
      if (now_.rank_of(i) != plan.rank_of[i]) steps.push_back({i, plan.rank_of[i]});
    apply(steps);
  }
  std::vector<std::uint32_t> away() const {
    std::vector<std::uint32_t> away;
    for (std::int32_t r = 0; static_cast<std::size_t>(r) < table_.ranks.size(); ++r)
      away.insert(away.end(), now_.away_from(r).begin(), now_.away_from(r).end());
    return away;
  }

  void even_out(std::size_t looks, bool frugal) {
    exchange_.set_looks(looks);
    lower_to(ceiling_s_, frugal);
    send_back();
    done_.clear();
  }

  // Exchanges until the busiest rank is down at `goal_s` or nothing helps. Those after the last
  // that made the longest rank shorter are undone.
  void lower_to(double goal_s, bool frugal) {
    const std::size_t begin = done_.size();
    exchange_.aim_at(goal_s, frugal);
    while (longest_s() > goal_s) {
      const Exchange::Offer offer = exchange_.best(now_.busiest());
      if (!offer) break;
      carry_out(offer.steps);
    }
    const double reached_s = longest_s() * (1 + kRounding);
    while (done_.size() > begin && done_.back().before_s <= reached_s) undo();
  }

  // Threads go back to their ranks of the table where that saves moves, and no rank gets longer
  // than the longest is.
  void send_back() {
    const double level_s = std::max(ceiling_s_, longest_s());
    bool again = true;
    for (int pass = 0; again && pass < kPasses; ++pass) {
      again = false;
      for (const std::uint32_t i : away()) {
        if (now_.rank_of(i) == table_.threads[i].rank) continue;
        const Exchange::Offer offer = exchange_.return_of(i, level_s);
        if (!offer) continue;
        carry_out(offer.steps);
        again = true;
      }
    }
  }

  // A round of ruin and recreate.
  void polish(std::uint64_t round, const std::vector<std::uint32_t>& guests) {
    const Score before = score();
    ruin(round, guests);
    const bool low = mixed(round) % kRoundsToAimLow == 0;
    lower_to(low ? ceiling_s_ : before.step_s, /*frugal=*/round % 2 == 0);
    send_back();
    if (score() <= before)
      done_.clear();
    else
      while (!done_.empty()) undo();
  }

  void ruin(std::uint64_t round, const std::vector<std::uint32_t>& guests) {
    std::uint64_t state = round << 32;
    const auto below = [&](std::uint64_t limit) { return mixed(state++) % limit; };
    const auto try_to = [&](std::uint32_t i, std::int32_t to) {
      const Step step{i, to};
      if (now_.has_room({&step, 1})) carry_out({&step, 1});
    };
    enum { kOfHosts, kOfHomes, kOfAny, kKinds };
    const std::uint64_t kind = below(kKinds);
    const auto rank = [&](std::uint32_t i) {
      return kind == kOfHosts ? now_.rank_of(i) : table_.threads[i].rank;
    };
    std::vector<std::int32_t> ranks(1 + below(kRanksOfRound));
    for (std::int32_t& r : ranks) r = rank(guests[below(guests.size())]);
    for (const std::uint32_t i : guests) {
      const bool goes = kind == kOfAny
                            ? below(kRanksOfRound) == 0
                            : std::find(ranks.begin(), ranks.end(), rank(i)) != ranks.end();
      if (goes) try_to(i, table_.threads[i].rank);
    }
    for (std::uint64_t n = below(kStrays); n > 0; --n) {
      const auto i = static_cast<std::uint32_t>(below(table_.threads.size()));
      const auto to = static_cast<std::int32_t>(below(table_.ranks.size()));
      if (!table_.threads[i].fixed && table_.threads[i].load_s > 0) try_to(i, to);
    }
  }

  const LoadTable& table_;
  const double ceiling_s_;
  Placement now_;
  Exchange exchange_;
  double cost_s_ = 0;
  std::vector<Done> done_;
};

}  // namespace

Plan exchange_moves(const LoadTable& table, const Plan& start, double ceiling_s,
                    std::size_t looks) {
  return Exchanger(table, start, ceiling_s).run(looks);
}

std::size_t affordable_looks(const LoadTable& table, double excess_s) {
  const auto threads = static_cast<double>(table.threads.size());
  const double looks = std::min(
      {kMostLooks, kMostOfThread * threads, kPart / kLookS * table.costs.steps * excess_s});
  return looks >= threads ? static_cast<std::size_t>(looks) : 0;
}

}  // namespace roam::balance
