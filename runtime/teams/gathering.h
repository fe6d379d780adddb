#ifndef ROAM_RUNTIME_TEAMS_GATHERING_H_
#define ROAM_RUNTIME_TEAMS_GATHERING_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "roam/team.h"
#include "runtime/net/net.h"
#include "runtime/net/spanning_tree.h"
#include "runtime/place/locator.h"
#include "runtime/teams/member.h"
#include "runtime/teams/residents.h"

namespace roam::runtime {

using detail::CollectiveCall;
using detail::CollectiveKind;

// What the root of a collective says about the members' loads.
enum class Verdict : std::uint32_t { kGoOn = 0, kLookAnew, kBalance };

// Of kGather and kSpread. Behind it: `blob` bytes that are one for all (a combination, a root's
// data, an array of all), then `entries` of EntryHead and its bytes.
struct GatherHead {
  Kind kind;
  CollectiveKind what;
  std::uint64_t team;
  std::uint32_t number;  // of the team's collectives, from 0
  std::int32_t root;
  std::uint64_t bytes;  // of one member's part
  std::uint64_t count;  // elements of it
  detail::Combine combine;
  Target root_member;  // who alone gets the result, and its request; id 0: not known yet
  detail::RequestState* root_request;
  std::uint32_t parts;  // members whose parts are in here
  std::uint32_t has_blob;
  // For balancing by itself. Of the parts: the load of all, and that of the busiest rank, in
  // seconds since loads were last looked at; and how long the last balancing took whom it took
  // shortest: others waited, besides, for those that computed on before them.
  double load_s;
  double busiest_s;
  double balancing_s;
  std::uint32_t not_blocking;  // parts whose members do not wait
  Verdict verdict;             // of kSpread
  std::uint64_t in_order;      // of a reduction: 1: parts are combined in an order that is fixed
  std::uint64_t blob;
  std::uint64_t entries;
  alignas(16) unsigned char op[CollectiveCall::kMostOpBytes];
};
struct EntryHead {
  std::int32_t index;
  std::uint32_t level;  // of a reduction in order: see Partial
  std::uint64_t bytes;
};

// What a member of a team.balance() is told: where to go, -1: to stay wherever it is by then; and
// how many members are asked to move.
struct PlaceHead {
  std::int32_t rank;
  std::int32_t moves;
};

struct LateResultHead {
  Kind kind;
  Verdict verdict;
  std::uint64_t bytes;
  Target member;
  detail::RequestState* request;
};

// The combination of the members from `first`, a multiple of 2^level, to `first` + 2^level - 1,
// each half before that with the other. So what is combined with what follows from the members'
// indices alone, and a sum of floating-point numbers has the same bits wherever they are and
// whoever comes first. Source: pairwise summation, whose error grows with the logarithm of the
// number.
struct Partial {
  std::int32_t first;
  std::uint32_t level;
  std::vector<char> bytes;
};

// The parts of one collective that have come together at a rank.
class Parts {
 public:
  GatherHead head{};
  std::vector<char> blob;
  std::vector<EntryHead> entries;
  std::vector<char> data;         // of the entries, one after the other
  std::vector<Partial> partials;  // of a reduction in order, by `first`; no two are halves of one

  // Adds what one member gives.
  void add(const CollectiveCall& call, int index);
  // Adds what another rank has sent.
  void add(const char* message);
  void clear();
  std::vector<char> pack() const;
  // Where the data of each member's entry begins; null of who has none.
  std::vector<const char*> by_index(int size) const;

 private:
  void combine(const char* from, std::size_t bytes, bool has);
  void insert(Partial partial);
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
  // What balancing, which builds on this, has to do with collectives.
  class Balancing {
   public:
    virtual ~Balancing() = default;
    // Whether ranks balance without being asked: then loads go along with collectives.
    virtual bool by_itself() const = 0;
    // Seconds that `me` has computed since load was last looked at, or what its user says.
    virtual double load_of(const detail::Member& me) const = 0;
    // At the root, where all members wait: whether to balance now. `ranks`: that have members.
    virtual Verdict judge(const GatherHead& head, int ranks) const = 0;
    // Decides at the root of a team.balance() who goes where.
    virtual void plan(Parts* parts, int size) = 0;
    // Of kBalanceApart: `me` takes part in it, and gets a PlaceHead with `request`; all do.
    virtual void add(const detail::Member& me, std::uint32_t number,
                     detail::RequestState* request) = 0;
    virtual void start(std::uint64_t team, std::uint32_t number) = 0;
  };

  Gatherings(Net& net, const Locator& locator, const Residents& residents, Balancing& balancing)
      : net_(net), locator_(locator), residents_(residents), balancing_(balancing) {}

  void add_team(std::uint64_t team, int size, int root_rank);
  void forget_team(std::uint64_t team) { teams_.erase(team); }
  void came(std::uint64_t team) { ++teams_.at(team).residents; }
  void left(std::uint64_t team);

  // `me` takes part with `request`, which is done when its result is there.
  void contribute(detail::Member& me, const CollectiveCall& call, detail::RequestState* request);
  std::span<const Kind> kinds() const override;
  void handle(int from, const char* message, std::size_t bytes) override;
  // Sends up what has waited for long.
  void poll() override;
  bool quiet() const override { return !busy(); }
  bool urgent() const override { return busy(); }

  // A member that took part here and gets a result.
  struct Waiter {
    Target member;
    std::int32_t index;
    detail::RequestState* request;
  };
  // The result, to where the member is now.
  void answer(const Waiter& waiter, Verdict verdict, const char* data, std::size_t bytes);

 private:
  struct Gathering {
    Parts parts;           // not sent up yet
    std::size_t came = 0;  // parts that came in all
    std::size_t here = 0;  // of members of this rank
    double load_s = 0;     // of those that were not sent up yet
    std::uint64_t since_ticks = 0;
    int late = 0;  // times that it was sent up because it had waited for long
    std::vector<Waiter> waiters;
    std::map<int, std::vector<std::int32_t>> below;  // rank -> members whose parts it sent
    std::map<int, std::size_t> counts;
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

  Gathering& gathering(TeamState& team, const GatherHead& head);
  void consider(TeamState& team, std::uint32_t number);
  // Whether some parts will be sent up by poll().
  bool busy() const;
  void settle_load(Gathering& g);
  void change_open(int by);
  void send_up(TeamState& team, std::uint32_t number);
  void finish(TeamState& team, std::uint32_t number);
  void spread(TeamState& team, std::uint32_t number, const Parts& result);
  static void give(Target member, detail::RequestState* request, Verdict verdict, const char* data,
                   std::size_t bytes);
  void on_gather(int from, const char* message);
  void on_spread(const char* message);
  void on_late_result(const char* message, std::size_t bytes);
  SpanningTree tree_of(const TeamState& team) const;
  bool owed_here(std::uint64_t team, std::uint32_t number) const;
  bool expects_more(const TeamState& team, const Gathering& g) const;

  Net& net_;
  const Locator& locator_;
  const Residents& residents_;
  Balancing& balancing_;
  std::unordered_map<std::uint64_t, TeamState> teams_;
  int open_ = 0;  // gatherings with parts that were not sent up yet
};

// The shorter of two times, of which 0 is none.
double shorter(double a_s, double b_s);

// Whether only the root gets a result.
bool for_root_only(CollectiveKind what);

// Whether each member gets something else.
bool entry_each(CollectiveKind what);

// What the result of a collective is, once all parts are there, at its root: the blob, or an entry
// for each member.
void complete(Parts* parts, int size);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_GATHERING_H_
