// Balancing: who has much to do ends where there is little.
#include <cfloat>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/load.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/random.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

SCENARIO(Balance, EvensOutTheLoadsThatMembersName) {
  roam::spawn_team(16 * roam::ranks(), [] {
    const roam::Team team = roam::Team::current();
    // Heavy members all begin on the first ranks.
    const double load = team.index() < team.size() / 2 ? 3 : 1;
    const std::vector<char> memory(1000 + 100 * static_cast<std::size_t>(team.index()), 'm');
    roam::this_thread::set_load(load);
    const double before = imbalance(load_of_ranks(team, load));
    const int moved = team.balance();
    const double after = imbalance(load_of_ranks(team, load));
    expect_eq(memory.back(), 'm', "memory");
    if (roam::ranks() == 1) {
      expect_eq(moved, 0, "moves on one rank");
      return;
    }
    expect(before > 1.4, "imbalance before: " + std::to_string(before));
    expect(after < 1.1, "imbalance after: " + std::to_string(after));
    expect(moved > 0, "members moved");
    expect_eq(team.balance(), 0, "moves when all is balanced");
  }).join();
}

// The plan is made in the call of the member that comes last, and is deeper than a small stack.
SCENARIO(Balance, PlansAreNotMadeOnTheStackOfAMember) {
  roam::spawn_team(roam::SpawnOptions{.stack_bytes = 16 << 10}, 64, [] {
    const roam::Team team = roam::Team::current();
    const int next = (team.index() + 1) % team.size(), before = (team.index() + 63) % team.size();
    for (int step = 0; step < 3; ++step) {
      roam::this_thread::set_load(1 + (team.index() * 7 + step) % 5);
      team.send(next, step, team.index());
      expect_eq(team.recv<int>(before, step), before, "from whom it comes");
      (void)team.balance();
    }
  }).join();
}

// Three members a rank, each the half, a third or a fifth of what a rank is to have.
SCENARIO(Balance, EvensOutFewLongMembers) {
  const char* const named = std::getenv("ROAM_BALANCE");
  const std::string strategy = named == nullptr ? "" : named;
  const bool stops_early = strategy == "refine" || strategy == "comm";  // as docs/balancing.md says
  roam::spawn_team(3 * roam::ranks(), [stops_early] {
    const roam::Team team = roam::Team::current();
    constexpr double kLoads[] = {15, 9, 6};
    const double load = kLoads[team.index() / roam::ranks()];
    roam::this_thread::set_load(load);
    (void)team.balance();
    const double after = imbalance(load_of_ranks(team, load));
    expect(after < (stops_early ? 1.5 : 1.05), "imbalance after: " + std::to_string(after));
  }).join();
}

// Every second heavy member is pinned: the others make up for that at once.
SCENARIO(Balance, PlansAroundMembersThatCannotMove) {
  roam::spawn_team(16 * roam::ranks(), [] {
    const roam::Team team = roam::Team::current();
    const bool heavy = team.index() < team.size() / 2, pinned = heavy && team.index() % 2 == 0;
    const double load = heavy ? 3 : 1;
    roam::this_thread::set_load(load);
    const int begin = roam::rank();
    std::optional<roam::this_thread::Pin> pin;
    if (pinned) pin.emplace();
    const int moved = team.balance();
    if (pinned) expect_eq(roam::rank(), begin, "rank of a pinned member");
    const double after = imbalance(load_of_ranks(team, load));
    if (roam::ranks() == 1) return;
    expect(after < 1.1, "imbalance after: " + std::to_string(after));
    expect(moved > 0, "members moved");
    expect_eq(team.balance(), 0, "moves when all is balanced");
  }).join();
}

int moved_last = -1;  // as the members on rank 0 were told

// The same loads in other units, the smallest and the largest among them.
SCENARIO(Balance, MovesTheSameWhateverTheUnit) {
  int first = -1;
  for (const double unit : {1.0, 1e-9, DBL_TRUE_MIN, DBL_MIN, 1e-300, 0.1, 1e300, DBL_MAX / 4}) {
    roam::spawn_team(16 * roam::ranks(), [unit] {
      const roam::Team team = roam::Team::current();
      const double load = team.index() < team.size() / 2 ? 4 : 1;
      roam::this_thread::set_load(load * unit);
      const int moved = team.balance();
      const double after = imbalance(load_of_ranks(team, load));
      if (roam::rank() == 0) moved_last = moved;
      expect(after < 1.15, "imbalance after: " + std::to_string(after));
    }).join();
    const std::string what = " in units of 10 to the " + std::to_string(std::log10(unit));
    expect(roam::ranks() == 1 || moved_last > 0, "members moved" + what);
    if (first < 0) first = moved_last;
    expect_eq(moved_last, first, "members that moved" + what);
  }
}

// A load that was measured says nothing of one that is named.
SCENARIO(Balance, ForgetsWhatWasMeasuredWhenALoadIsNamed) {
  roam::spawn_team(16 * roam::ranks(), [] {
    const roam::Team team = roam::Team::current();
    const int begin = roam::rank();
    const double load = team.index() < team.size() / 2 ? 4 : 1;
    for (const double unit : {1e-9, 1e300}) {
      (void)team.balance();
      roam::this_thread::migrate(begin);
      roam::this_thread::set_load(load * unit);
      (void)team.balance();
      const double after = imbalance(load_of_ranks(team, load));
      expect(after < 1.15, "imbalance after: " + std::to_string(after));
      roam::this_thread::set_load(-1);
    }
  }).join();
}

SCENARIO(Balance, MovesNobodyWithoutLoad) {
  roam::spawn_team(4 * roam::ranks(), [] {
    roam::this_thread::set_load(0);
    expect_eq(roam::Team::current().balance(), 0, "members that moved");
  }).join();
}

SCENARIO(Balance, SeesWhatMembersCompute) {
  roam::spawn_team(8 * roam::ranks(), [] {
    const roam::Team team = roam::Team::current();
    const int steps = team.index() < team.size() / roam::ranks() ? 8 : 1;
    double own = 0;
    for (int round = 0; round < 4; ++round) {
      const double begin = roam::this_thread::running_time();
      std::uint64_t x = 1;
      for (int i = 0; i < steps * 200'000; ++i) x = mix(x);
      expect(x != 0, "a number");
      own = roam::this_thread::running_time() - begin;
      expect(own > 0, "time that it ran");
      (void)team.balance();
    }
    const double after = imbalance(load_of_ranks(team, steps));
    if (roam::ranks() > 1 && roam::ranks() < 5)
      expect(after < 2, "imbalance after: " + std::to_string(after));
  }).join();
}

// Teams of all sizes, also with fewer members than ranks, whose members wander between balancings.
SCENARIO(Balance, TellsAllMembersTheSame) {
  for (const int members : {1, 2, roam::ranks() + 1, 6 * roam::ranks()}) {
    roam::spawn_team(members, [] {
      const roam::Team team = roam::Team::current();
      Random rng(static_cast<std::uint64_t>(team.index()) + 7);
      const double load = 1 + static_cast<double>(rng.below(100)) / 10;
      roam::this_thread::set_load(load);
      for (int round = 0; round < 6; ++round) {
        if (round > 0 && rng.below(3) == 0)
          roam::this_thread::migrate(static_cast<int>(rng.below(roam::ranks())));
        const double before = imbalance(load_of_ranks(team, load));
        const int begin = roam::rank();
        const int moved = team.balance();
        const double after = imbalance(load_of_ranks(team, load));
        expect_eq(team.allreduce(roam::rank() != begin ? 1 : 0), moved, "members that moved");
        const std::vector<int> said = team.allgather(moved);
        for (const int one : said) expect_eq(one, moved, "what another member was told");
        expect(after <= before * 1.000001,
               "imbalance " + std::to_string(before) + " became " + std::to_string(after));
      }
    }).join();
  }
}

SCENARIO(Balance, RefusesALoadThatIsNoNumber) {
  expect_error(roam::Errc::bad_option, {"nan"}, [] { roam::this_thread::set_load(0.0 / 0.0); });
}

SCENARIO(Balance, AMemberThatMayNotMoveStays) {
  roam::spawn_team(8 * roam::ranks(), [] {
    const roam::Team team = roam::Team::current();
    const int begin = roam::rank();
    roam::this_thread::set_load(team.index() < 8 ? 10 : 0.1);
    const roam::this_thread::Pin pin;
    (void)team.balance();
    expect_eq(roam::rank(), begin, "rank of a pinned member");
  }).join();
}

}  // namespace
}  // namespace roam_test
