// Balancing: who has much to do ends where there is little.
#include <chrono>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/random.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

std::vector<double> load_of_ranks(const roam::Team& team, double own) {
  std::vector<double> loads(static_cast<std::size_t>(roam::ranks()));
  loads[static_cast<std::size_t>(roam::rank())] = own;
  return team.allreduce(loads);
}

double imbalance(const std::vector<double>& loads) {
  double sum = 0, most = 0;
  for (const double load : loads) {
    sum += load;
    most = std::max(most, load);
  }
  return most / (sum / static_cast<double>(loads.size()));
}

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
