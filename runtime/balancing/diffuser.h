#ifndef ROAM_RUNTIME_BALANCING_DIFFUSER_H_
#define ROAM_RUNTIME_BALANCING_DIFFUSER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/balance/diffusion_rank.h"
#include "runtime/balance/load_model.h"
#include "runtime/balancing/diffuse_messages.h"
#include "runtime/net/message.h"
#include "runtime/net/spanning_tree.h"
#include "runtime/teams/gathering.h"
#include "runtime/teams/member.h"

namespace roam::runtime {

class Balancer;

// team.balance() by the diffusion strategy, without a table of all members anywhere: a rank knows
// its own members, the sums of its partner of the round, and what is reduced over the ranks.
//
//   all members take part (a collective)            counted at the team's root
//   kStart   down the tree of all ranks
//   kTotals  up:   loads and errors by load model   O(1) bytes a rank
//   kGo      down: the model, and the load that a rank is to have
//   kSums    between the partners of each round; who has too much offers kTokens, that stand for
//            members; the partner divides them and its own, and answers with kReturned
//   kPlaces  from where a token ended to its member's rank
//   kOutcome up:   longest rank before and after, longest move
//   kVerdict down: whether it pays; the members go
//
// Messages of a rank that is ahead wait here until their round comes.
//
// Context: the rank's kernel thread, capture off.
class Diffuser final : public Component {
 public:
  Diffuser(Net& net, const Balancer& balancer)
      : Component(/*heeds_idle=*/false, /*polls=*/false), net_(net), balancer_(balancer) {}
  void set_gatherings(Gatherings* gatherings) { gatherings_ = gatherings; }

  // `me` takes part in its team's collective `number`, with `request`, which gets a PlaceHead.
  void add(const detail::Member& me, std::uint32_t number, detail::RequestState* request);
  // At the team's root rank: all members take part.
  void start(std::uint64_t team, std::uint32_t number);

  std::span<const Kind> kinds() const override;
  void handle(int from, const char* message, std::size_t bytes) override;
  // In rounds, another rank waits for this one, or will soon.
  bool urgent() const override { return in_rounds_ > 0; }

 private:
  using Stage = DiffuseStage;
  using Totals = DiffuseTotals;
  using Course = DiffuseCourse;
  using Outcome = DiffuseOutcome;
  using Note = DiffuseNote;
  struct Mine {
    std::int32_t index;
    balance::Forecast forecast;
    bool named;
    bool fixed;  // it cannot move now
    std::uint64_t bytes;
    Target member;
    detail::RequestState* request;
    std::int32_t place = -1;
  };
  using Tokens = std::vector<balance::DiffusionRank::Token>;
  // One balancing, seen from here.
  struct Run {
    std::int32_t root = 0;
    std::vector<Mine> mine;
    Totals totals;
    Outcome outcome;
    std::vector<Note> notes;
    int totals_due = 0, outcomes_due = 0;  // ranks below, and this one
    Course course{};
    std::unique_ptr<balance::DiffusionRank> rank;
    double before_s = 0;
    int round = 0;
    bool told = false, offered = false;                         // in this round
    balance::DiffusionRank::Sums own{};                         // as they were told
    bool through = false;                                       // with all rounds
    std::map<int, balance::DiffusionRank::Sums> sums;           // by round
    std::map<int, Tokens> tokens;                               // offered or returned, by round
    std::vector<std::pair<std::int32_t, std::int32_t>> places;  // members of this rank, and where
    std::uint64_t begin_ticks = 0;
  };
  using Key = std::pair<std::uint64_t, std::uint32_t>;  // team and number

  template <class Item>
  void send(int to, const Key& key, const Run& run, Stage stage, const Item* items,
            std::size_t count);
  SpanningTree tree_of(const Run& run) const;
  template <class Item>
  void spread(const Key& key, const Run& run, Stage stage, const Item& item);

  void on_start(const Key& key, Run& run);
  void add_totals(const Key& key, Run& run, const Totals& totals);
  Course course_of(const Run& run) const;
  void on_go(const Key& key, Run& run, const Course& course);
  void advance(const Key& key, Run& run);
  bool meet(const Key& key, Run& run, const balance::DiffusionRank::Sums& partner);
  void tell_places(const Key& key, Run& run);
  void consider_places(const Key& key, Run& run);
  void add_outcome(const Key& key, Run& run, const Outcome& outcome);
  void decide(const Key& key, Run& run);
  void on_verdict(const Key& key, Run& run, std::int32_t moves);

  Net& net_;
  const Balancer& balancer_;
  Gatherings* gatherings_ = nullptr;
  std::map<Key, Run> runs_;
  int in_rounds_ = 0;  // of them
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_BALANCING_DIFFUSER_H_
