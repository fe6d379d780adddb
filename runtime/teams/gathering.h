#ifndef ROAM_RUNTIME_TEAMS_GATHERING_H_
#define ROAM_RUNTIME_TEAMS_GATHERING_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/float_modes.h"
#include "runtime/net/net.h"
#include "runtime/net/spanning_tree.h"
#include "runtime/place/locator.h"
#include "runtime/teams/member.h"
#include "runtime/teams/parts.h"
#include "runtime/teams/residents.h"
#include "runtime/teams/rider.h"

namespace roam::runtime {

// The result of a member that has moved; its bytes follow.
struct LateResultHead {
  Kind kind;
  std::uint32_t verdict;
  std::uint64_t bytes;
  Target member;
  detail::RequestState* request;
};

// A team of a checkpoint.
struct TeamKnownHead {
  Kind kind;
  std::int32_t size;
  std::uint64_t team;
};

// A collective of a checkpoint that was under way: what a rank had of it, for the root. Waiters
// follow, then Parts as they are packed.
struct GatheredHead {
  Kind kind;
  std::int32_t size;  // of the team
  std::uint64_t came;
  std::uint64_t waiters;
};

// The collectives of the teams that have members on this rank. Members' parts are combined on their
// rank, then along a binomial tree of ranks; results go back along it.
//
// A rank does not know how many members will take part on it, since members move. It sends its
// parts up when as many have come as are here and as came from each rank below the last time; if
// fewer come, after a while; if more come, they go by themselves. The root counts to the team's
// size, so the result is right whatever moved.
//
// Context: the rank's kernel thread, capture off.
class Gatherings final : public Component {
 public:
  Gatherings(Net& net, const Locator& locator, Residents& residents, Rider& rider)
      : net_(net), locator_(locator), residents_(residents), rider_(rider) {}

  void add_team(std::uint64_t team, int size, int root_rank);
  void forget_team(std::uint64_t team);
  void came(std::uint64_t team) { ++teams_.at(team).residents; }
  void left(std::uint64_t team);

  // `me` takes part with `request`, which is done when its result is there. Where this throws, it
  // has not; what finds no memory later ends the job.
  void contribute(detail::Member& me, const CollectiveCall& call, detail::RequestState* request);
  std::span<const Kind> kinds() const override;
  void handle(int from, const char* message, std::size_t bytes) override;
  // Sends up what has waited for long.
  void poll() override;
  bool quiet() const override { return !busy(); }
  bool urgent() const override { return busy(); }
  // Sends up what there is.
  void settle() override;
  // Whether the next collective of `me` is known here to be of the kind `what`.
  bool has_begun(const detail::Member& me, CollectiveKind what);
  // A collective that somebody else answers.
  std::string obstacle() const override;
  void save(StateWriter& out) override;
  void restore(int piece, StateReader& in) override;

  // A member that took part here and gets a result.
  struct Waiter {
    Target member;
    std::int32_t index;
    detail::RequestState* request;
  };
  // The result, to where the member is now.
  void answer(const Waiter& waiter, std::uint32_t verdict, const char* data, std::size_t bytes);

 private:
  struct Gathering {
    Parts parts;                  // not sent up yet
    std::size_t came = 0;         // parts that came in all
    std::size_t here = 0;         // of members of this rank
    Along along{};                // of those that were not sent up yet
    std::uint64_t due_ticks = 0;  // when it is looked at again whether it has waited for long
    int late = 0;                 // times that it was sent up because it had
    std::vector<Waiter> waiters;
    std::map<int, std::vector<std::int32_t>> below;  // rank -> members whose parts it sent
    std::map<int, std::size_t> counts;
    // It is there because of who found no memory to take part, and calls another one now.
    bool is_nobodys() const { return came == 0 && waiters.empty(); }
  };
  struct Below {
    std::size_t usual = 0;  // parts that came from it in the last collective
    std::uint32_t number = 0;
    std::size_t now = 0;
  };
  struct TeamState {
    int size = 0;
    int root_rank = 0;
    std::size_t residents = 0;
    std::map<int, Below> below;
    std::map<std::uint32_t, Gathering> gatherings;
  };

  TeamState& team_of(std::uint64_t id) {
    if (last_.team == nullptr || last_.id != id) last_ = {id, &teams_.at(id)};
    return *last_.team;
  }
  void add(detail::Member& me, const CollectiveCall& call, FloatModes modes,
           detail::RequestState* request);
  void count(detail::Member& me, const CollectiveCall& call, detail::RequestState* request,
             Gathering& g);
  Gathering& gathering(TeamState& team, const GatherHead& head);
  Gathering& gathering(TeamState& team, const detail::Member& me, const CollectiveCall& call,
                       FloatModes modes);
  void consider(TeamState& team, std::uint32_t number);
  // Whether some parts will be sent up by poll().
  bool busy() const;
  void settle(Gathering& g);
  void change_open(int by);
  void send_up(TeamState& team, std::uint32_t number);
  void finish(TeamState& team, std::uint32_t number);
  void spread(TeamState& team, std::uint32_t number, const Parts& result);
  static void give(Target member, detail::RequestState* request, std::uint32_t verdict,
                   const char* data, std::size_t bytes);
  void on_gather(int from, const char* message);
  void on_spread(const char* message);
  void on_late_result(const char* message, std::size_t bytes);
  TeamState& known(std::uint64_t team, int size);
  void send_gathered(int to, const GatheredHead& head, std::string_view waiters,
                     std::string_view parts);
  void tell_kind(int size, const GatherHead& collective);
  void on_gathered(const char* message);
  SpanningTree tree_of(const TeamState& team) const;
  bool owed_here(std::uint64_t team, std::uint32_t number) const;
  bool expects_more(const TeamState& team, const Gathering& g) const;

  Net& net_;
  const Locator& locator_;
  Residents& residents_;
  Rider& rider_;
  std::unordered_map<std::uint64_t, TeamState> teams_;
  struct {
    std::uint64_t id;
    TeamState* team;
  } last_{};      // that somebody took part in
  int open_ = 0;  // gatherings with parts that were not sent up yet
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_GATHERING_H_
