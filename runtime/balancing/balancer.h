#ifndef ROAM_RUNTIME_BALANCING_BALANCER_H_
#define ROAM_RUNTIME_BALANCING_BALANCER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/options.h"
#include "runtime/balance/load_table.h"
#include "runtime/balance/strategy.h"
#include "runtime/balancing/diffuser.h"
#include "runtime/balancing/loads_along.h"
#include "runtime/balancing/look_length.h"
#include "runtime/balancing/pull_patience.h"
#include "runtime/net/net.h"
#include "runtime/teams/gathering.h"
#include "runtime/teams/residents.h"
#include "runtime/teams/rider.h"

namespace roam::runtime {

// One rank's part in balancing: what its members' loads are, when it pays to balance, the plan at a
// team's root, and idle ranks that pull ready members inside a node.
//
// Context: the rank's kernel thread, capture off.
class Balancer final : public Component, public Rider {
 public:
  Balancer(Net& net, Residents& residents, const Options& options);
  // What is made after it.
  void connect(Gatherings& gatherings) { diffuser_.set_gatherings(&gatherings); }
  Diffuser& diffuser() { return diffuser_; }
  int verbose() const { return verbose_; }

  // Whether team.balance() makes its plan without a table of all members.
  bool diffuses() const;
  // `me` begins a new step: what it computed is history.
  void end_step(detail::Member& me);
  // What a member tells about itself before a plan is made.
  std::vector<char> describe_load(detail::Member& me);
  // What a move of it sends, at most.
  static std::uint64_t bytes_of(const detail::Member& me);
  balance::RankInfo own_rank_info() const;
  // Named by ROAM_LOAD_MODEL; none: the one that foretold best.
  std::optional<std::size_t> load_model() const { return load_model_; }

  // Rider: loads go along with collectives where ranks balance without being asked ...
  void took_part(const detail::Member& me, const CollectiveCall& call, Along* along) override;
  void add(Along* along, const Along& more) override;
  std::uint32_t judge(const GatherHead& head, int ranks) override;
  void forget_team(std::uint64_t team) override { looks_.erase(team); }
  // ... and team.balance() is a collective: decides at its root who goes where, with a table of all
  // members or without.
  void complete(Parts* parts, int size) override;
  void awaits(const detail::Member& me, std::uint32_t number,
              detail::RequestState* request) override {
    diffuser_.add(me, number, request);
  }
  void all_take_part(std::uint64_t team, std::uint32_t number) override {
    diffuser_.start(team, number);
  }

  // Gives ready members to a rank of the node that asked.
  void poll() override;
  // Asks for some.
  void idle(Idle stage) override;

 private:
  // Whether ranks balance without being asked.
  bool by_itself() const { return mode_ == Mode::kAuto; }
  // What `me` has computed since load was last looked at; in place of that what its user says.
  static double computed_s(const detail::Member& me);
  static double load_of(const detail::Member& me);
  // Writes what a plan is made from, as ROAM_BALANCE_TABLE says. What cannot be written is
  // reported.
  void record(const balance::LoadTable& table, const GatherHead& head) const;
  void trace_plan(const balance::LoadTable& table, const balance::Plan& plan,
                  const std::vector<std::uint64_t>& threads, const char* strategy,
                  std::uint64_t begin_ticks, long double second) const;

  enum class Mode { kOff, kAsked, kAuto };
  Net& net_;
  Residents& residents_;
  Mode mode_;
  const balance::NamedStrategy* strategy_;  // null: as fits the job
  std::optional<std::size_t> load_model_;
  std::string table_file_;    // tables are written to names that begin so; empty: not
  std::size_t memory_bytes_;  // of a node; 0: no limit
  int verbose_;
  std::uint64_t balancings_ = 0;
  std::unordered_map<std::uint64_t, LookLength> looks_;  // of teams whose root is here
  PullPatience patience_;
  Diffuser diffuser_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_BALANCING_BALANCER_H_
