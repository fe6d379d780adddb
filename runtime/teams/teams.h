#ifndef ROAM_RUNTIME_TEAMS_TEAMS_H_
#define ROAM_RUNTIME_TEAMS_TEAMS_H_

#include <cstdint>
#include <map>
#include <vector>

#include "roam/team.h"
#include "runtime/life/lifecycle.h"
#include "runtime/net/net.h"
#include "runtime/teams/members.h"

namespace roam::runtime {

struct TeamHead {
  Kind kind;
  std::uint32_t good;
  std::uint64_t team;
};

// The teams that are being made: makers, a thread on each rank, tell the one above them that their
// members are there, and the first one tells all whether they may begin.
//
// Context: the rank's kernel thread, capture off.
class Teams final : public Component {
 public:
  Teams(Net& net, Lifecycle& life)
      : Component(/*heeds_idle=*/false, /*polls=*/false), net_(net), life_(life) {}
  void begin_run(Members* members) { members_ = members; }

  // A maker is about to make members.
  void open(const detail::TeamPlan& plan) { forming(plan.id); }
  // It cannot, and goes: in place of all that follows.
  void cannot_open(const detail::TeamPlan& plan);
  // A maker has made a member, which does not run yet.
  void hold(std::uint64_t team, Tcb* member, void (*destroy)(void*));
  // See detail::team_agree. Context: the maker, which suspends.
  bool agree(const detail::TeamPlan& plan, int makers, bool ready);
  // Waits until the first maker knows, which may be long ago: what it was made of is gone first,
  // and that may wait. Context: who called spawn_team, on the rank where it made the maker.
  bool wait_until_made(std::uint64_t team);

  // Makers refer to memory of their rank.
  std::string obstacle() const override;
  std::span<const Kind> kinds() const override;
  void handle(int from, const char* message, std::size_t bytes) override;

 private:
  struct Held {
    Tcb* member;
    void (*destroy)(void*);
  };
  struct Forming {
    std::vector<Held> held;
    int reports = 0;
    bool good = true;
    bool decided = false;
    bool begins = false;
    Tcb* maker = nullptr;    // waits for reports or the decision
    Tcb* creator = nullptr;  // waits for the decision
    // Who has no more use for this.
    bool maker_is_through = false;
    bool creator_is_through = false;
  };
  Forming& forming(std::uint64_t team);
  void wake(Tcb*& t);
  void give_up(Forming& f);

  Net& net_;
  Lifecycle& life_;
  Members* members_ = nullptr;
  std::map<std::uint64_t, Forming> forming_;  // until maker and creator are through
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_TEAMS_H_
