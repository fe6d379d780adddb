#ifndef ROAM_RUNTIME_MOVE_MOVER_H_
#define ROAM_RUNTIME_MOVE_MOVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/options.h"
#include "runtime/move/departure.h"
#include "runtime/move/live_moves.h"
#include "runtime/move/migrator.h"
#include "runtime/move/open_objects.h"
#include "runtime/net/net.h"
#include "runtime/place/answer.h"
#include "runtime/place/locator.h"

namespace roam::runtime {

struct MoveHead {
  Kind kind;
  std::int32_t to;
  Target target;
  Target asker;
  std::int32_t asker_rank;
  std::uint32_t live_us;  // 0: an ordinary move; else for how long it should stand still, and 1
};

struct MovedHead {
  Kind kind;
  Errc code;  // 0: noted
  Target asker;
  char why[200];
};

// Threads that leave this rank and come to it: inside a node by handing over the control block,
// between nodes by the Migrator. What else has to do with such threads, in folders that build on
// this one, is told by way of TeamMembers and Joiners.
class Mover final : public Component, public Migrator::Listener {
 public:
  // Members of teams: asked and told of threads with a Tcb::role only.
  class TeamMembers {
   public:
    virtual ~TeamMembers() = default;
    // Before the memory of `t` goes to another rank, of another node or of this one.
    virtual Departure departs(Tcb* t, bool other_node) = 0;
    virtual void came(Tcb* t) = 0;
  };
  // Those that wait for the ends of threads.
  class Joiners {
   public:
    virtual ~Joiners() = default;
    // Takes those that wait here for the end of `t`, which leaves: messages to send after it.
    virtual void take(Tcb* t, std::vector<std::vector<char>>* messages) = 0;
    // What `ended` left has come for `joiner`, or could not go to it, which is on rank `to`.
    virtual void remains_came(Tcb* ended, Target joiner) = 0;
    virtual void remains_refused(Tcb* ended, int to, Errc code, const char* why, Target joiner) = 0;
  };

  Mover(Net& net, Locator& locator, OpenObjects& open_objects, const Options& options);
  void set_members(TeamMembers* members) { members_ = members; }
  void set_joiners(Joiners* joiners) { joiners_ = joiners; }
  Migrator& migrator() { return migrator_; }
  LiveMoves& live() { return live_; }

  // Suspended `t`, in no queue, goes to rank `to`.
  void depart(Tcb* t, int to);
  // Threads that other ranks of the node have handed over. True: there were some.
  bool take_hand_offs();
  // `target` shall move to rank `to`; `self`, the caller, gets `answer` and may suspend until then.
  // `live_us` as MoveHead's.
  void move(Tcb* self, Target target, int to, Answer* answer, std::uint32_t live_us = 0);
  // Why the last departure of `t` failed; empty: it did not.
  std::string take_refusal(const Tcb* t, Errc* code);
  void forget_refusal(std::uint64_t id) {
    if (!refusals_.empty()) refusals_.erase(id);
  }

  struct Counts {
    std::uint64_t all = 0;  // moves of threads away from here
    std::uint64_t between_nodes = 0;
    std::uint64_t bytes = 0;
  };
  Counts counts() const;

  std::span<const Kind> kinds() const override;
  void handle(int from, const char* message, std::size_t bytes) override;
  // Departures that had to wait.
  void poll() override;
  bool quiet() const override { return waiting_.empty(); }

  // Migrator::Listener
  void arrived(Tcb* t, int from, Target joiner) override;
  void departed(std::uint64_t id, int to, std::uint64_t hops) override;
  void refused(Tcb* t, int to, Errc code, const char* why, Target joiner) override;

 private:
  void stay(Tcb* t, int to);
  bool member_departs(Tcb* t, int to);
  void try_move(const MoveHead& head);
  void answer_move(const MoveHead& head, Errc code, const std::string& why);

  Net& net_;
  Locator& locator_;
  OpenObjects& open_objects_;
  int verbose_;
  LiveMoves live_;
  Migrator migrator_;
  TeamMembers* members_ = nullptr;
  Joiners* joiners_ = nullptr;
  std::vector<std::pair<Tcb*, int>> waiting_;  // departures: memory is in use just now
  struct Refusal {
    Errc code;
    std::string why;
  };
  std::unordered_map<std::uint64_t, Refusal> refusals_;
  Counts counts_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_MOVE_MOVER_H_
