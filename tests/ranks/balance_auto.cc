// ROAM_BALANCE=auto: nobody calls balance(), and members end where there is little to do.
#include <algorithm>
#include <atomic>
#include <chrono>
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

using Clock = std::chrono::steady_clock;

// Computes for about so many units of some 0.1 ms.
void compute(int units) {
  std::uint64_t x = 1;
  for (int i = 0; i < units * 40'000; ++i) x = mix(x);
  expect(x != 0, "a number");
}

// The members that begin on the first ranks have most of the work: an imbalance of 1.8. Where
// nobody pulls, since each rank is alone on its node, the collectives alone bring it down.
// `unit`: in which members name their loads; 0: they do not.
void balance_by_collectives(double unit) {
  roam::spawn_team(8 * roam::ranks(), [unit] {
    const roam::Team team = roam::Team::current();
    const int own = team.index() < team.size() / 2 ? 9 : 1;
    if (unit > 0) roam::this_thread::set_load(own * unit);
    const std::vector<char> memory(2000, static_cast<char>(team.index()));
    double least = 9;
    for (int step = 0; step < 30; ++step) {
      compute(own * 8);  // enough that balancing pays, also where ranks share cores
      least = std::min(least, imbalance(load_of_ranks(team, own)));
    }
    expect_eq(memory.back(), static_cast<char>(team.index()), "memory");
    if (roam::ranks() == 1) return;
    expect(least < 1.4, "least imbalance in 30 steps: " + std::to_string(least));
  }).join();
}

SCENARIO(Auto, CollectivesBalanceByThemselves) { balance_by_collectives(0); }

// Whatever the unit, ranks balance when they have computed for a while.
SCENARIO(Auto, CollectivesBalanceLoadsThatMembersName) {
  balance_by_collectives(1e-12);
  balance_by_collectives(1e12);
}

// Rank 0 has all members; they never wait for one another.
SCENARIO(Auto, IdleRanksOfANodePullReadyMembers) {
  const bool alone = neighbour() == roam::rank();
  std::atomic<int> pulled = 0;
  roam::spawn_team(8 * roam::ranks(), [pulled = &pulled, alone] {
    if (roam::rank() != 0) return;
    const std::vector<char> memory(2000, 'm');
    const auto begin = Clock::now();
    bool counted = false;
    const auto patience = std::chrono::seconds(alone ? 1 : 20);
    while (Clock::now() - begin < patience && (alone || *pulled == 0)) {
      compute(1);
      roam::this_thread::yield();
      expect_eq(roam::node(), 0, "the node: between nodes nobody pulls");
      if (roam::rank() != 0 && !counted) {
        counted = true;
        ++*pulled;
      }
    }
    expect_eq(memory.back(), 'm', "memory");
  }).join();
  if (alone) {
    expect_eq(pulled.load(), 0, "members that were pulled");
  } else {
    expect(pulled > 0, "members were pulled");
  }
}

SCENARIO(Auto, WhoMayNotMoveIsNotPulled) {
  roam::spawn_team(4 * roam::ranks(), [] {
    const int begin = roam::rank();
    const roam::this_thread::Pin pin;
    if (begin != 0) return;
    for (int i = 0; i < 100; ++i) {
      compute(1);
      roam::this_thread::yield();
      expect_eq(roam::rank(), begin, "rank of a pinned member");
    }
  }).join();
}

// Messages find members that are pulled to and fro.
SCENARIO(Auto, NoMessageIsLostMeanwhile) {
  roam::spawn_team(6 * roam::ranks(), [] {
    const roam::Team team = roam::Team::current();
    const int n = team.size();
    const int to = (team.index() + 1) % n, from = (team.index() + n - 1) % n;
    Random rng(static_cast<std::uint64_t>(team.index()) + 1);
    for (int round = 0; round < 100; ++round) {
      compute(static_cast<int>(rng.below(3)));
      const std::size_t count = 1 + static_cast<std::size_t>(round) * 13;
      const std::vector<int> sent(count, round * n + team.index());
      roam::Request request = team.isend(to, round % 3, sent);
      std::vector<int> got(count);
      const roam::Received received = team.recv(from, round % 3, got);
      expect_eq(received.count, count, "elements that came");
      expect_eq(got.back(), round * n + from, "what came");
      request.wait();
      if (round % 10 == 9) expect_eq(team.allreduce(1), n, "members that took part");
    }
  }).join();
}

}  // namespace
}  // namespace roam_test
