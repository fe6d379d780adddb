// Collectives against a plain computation, with members that move between and during them.
#include <algorithm>
#include <chrono>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/random.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

std::uint64_t value(int member, int round, std::size_t k) {
  return mix(static_cast<std::uint64_t>(member) * 1'000'003 +
             static_cast<std::uint64_t>(round) * 1009 + k) %
         1'000'000;
}
std::vector<std::uint64_t> values(int member, int round, std::size_t count) {
  std::vector<std::uint64_t> all(count);
  for (std::size_t k = 0; k < count; ++k) all[k] = value(member, round, k);
  return all;
}
std::vector<std::uint64_t> sum_of(int first, int last, int round, std::size_t count) {
  std::vector<std::uint64_t> sum(count);
  for (int m = first; m < last; ++m)
    for (std::size_t k = 0; k < count; ++k) sum[k] += value(m, round, k);
  return sum;
}

// Keeps the order of its operands visible.
struct Affine {
  std::uint64_t a, b;
  bool operator==(const Affine&) const = default;
};
Affine then(const Affine& f, const Affine& g) { return {f.a * g.a, f.b * g.a + g.b}; }

void all_of_them(const roam::Team& team, int round, std::size_t count) {
  const int n = team.size(), me = team.index(), root = (round * 7 + 3) % n;
  const auto mine = values(me, round, count);
  const auto sum = sum_of(0, n, round, count);
  team.barrier();
  expect(team.allreduce(mine) == sum, "allreduce");
  const auto reduced = team.reduce(root, mine);
  expect(reduced == (me == root ? sum : mine), "reduce");
  expect(team.allreduce(mine, [](auto a, auto b) { return a > b ? a : b; })[0] >= mine[0], "max");
  expect(team.scan(mine) == sum_of(0, me + 1, round, count), "scan");
  auto data = mine;
  team.broadcast(root, data);
  expect(data == values(root, round, count), "broadcast");
  std::vector<std::uint64_t> everyone;
  for (int m = 0; m < n; ++m) {
    const auto theirs = values(m, round, count);
    everyone.insert(everyone.end(), theirs.begin(), theirs.end());
  }
  expect(team.allgather(mine) == everyone, "allgather");
  const auto gathered = team.gather(root, mine);
  expect(me == root ? gathered == everyone : gathered.empty(), "gather");
  std::vector<std::uint64_t> part(count);
  team.scatter(root, me == root ? everyone : std::vector<std::uint64_t>(), part);
  expect(part == mine, "scatter");
  std::vector<std::uint64_t> out, in(static_cast<std::size_t>(n) * count);
  for (int to = 0; to < n; ++to) {
    const auto theirs = values(me * n + to, round, count);
    out.insert(out.end(), theirs.begin(), theirs.end());
  }
  team.alltoall(out, in);
  for (int from = 0; from < n; ++from) {
    const auto theirs = values(from * n + me, round, count);
    expect(std::equal(theirs.begin(), theirs.end(),
                      in.begin() + static_cast<std::ptrdiff_t>(count) * from),
           "alltoall");
  }
}

SCENARIO(Collectives, GiveWhatAPlainComputationGives) {
  for (const int n : {1, 2, 5, 16}) {
    roam::spawn_team(n, [] {
      int round = 0;
      for (const std::size_t count : {1u, 3u, 1000u})
        all_of_them(roam::Team::current(), round++, count);
    }).join();
  }
  roam::spawn_team(3, [] { all_of_them(roam::Team::current(), 1, 50'000); }).join();
}

SCENARIO(Collectives, TheSameWithMembersThatMoveBetweenThem) {
  roam::spawn_team(11, [] {
    const roam::Team team = roam::Team::current();
    Random random(static_cast<std::uint64_t>(team.index()) + 17);
    for (int round = 0; round < 8; ++round) {
      if (random.one_in(2))
        roam::this_thread::migrate(
            static_cast<int>(random.below(static_cast<std::uint64_t>(roam::ranks()))));
      all_of_them(team, round, 5);
    }
  }).join();
}

SCENARIO(Collectives, KeepTheOrderOfMembersInScan) {
  roam::spawn_team(9, [] {
    const roam::Team team = roam::Team::current();
    const int me = team.index();
    roam::this_thread::migrate((me * 5) % roam::ranks());
    const auto own = [](int i) {
      return Affine{static_cast<std::uint64_t>(i) * 2 + 3, static_cast<std::uint64_t>(i) + 1};
    };
    Affine want = own(0);
    for (int i = 1; i <= me; ++i) want = then(want, own(i));
    const Affine got =
        team.scan(own(me), [](const Affine& f, const Affine& g) { return then(f, g); });
    expect(got == want, "composition of members 0 to oneself");
  }).join();
}

SCENARIO(Collectives, SplitPhaseOnesOverlapAndTheirMembersMoveMeanwhile) {
  roam::spawn_team(2 * roam::ranks() + 1, [] {
    const roam::Team team = roam::Team::current();
    const int n = team.size(), me = team.index();
    for (int round = 0; round < 10; ++round) {
      std::uint64_t sum = value(me, round, 0), prefix = value(me, round, 1);
      std::uint64_t told = me == round % n ? 4711 : 0;
      std::vector<std::uint64_t> all(static_cast<std::size_t>(n));
      const std::uint64_t own = value(me, round, 2);
      roam::Request requests[] = {team.iallreduce(sum), team.ibarrier(), team.iscan(prefix),
                                  team.ibroadcast(round % n, told), team.iallgather(own, all)};
      roam::this_thread::migrate((roam::rank() + me + round) % roam::ranks());
      std::reverse(std::begin(requests), std::end(requests));
      roam::wait_all(requests);
      expect_eq(sum, sum_of(0, n, round, 1)[0], "sum");
      expect_eq(prefix, sum_of(0, me + 1, round, 2)[1], "prefix");
      expect_eq(told, std::uint64_t{4711}, "what was broadcast");
      for (int m = 0; m < n; ++m)
        expect_eq(all[static_cast<std::size_t>(m)], value(m, round, 2), "one of all");
    }
  }).join();
}

struct alignas(16) Wide {
  double a, b;
};

SCENARIO(Collectives, ElementsMayBeAlignedTo16) {
  roam::spawn_team(2 * roam::ranks() + 1, [] {
    const roam::Team team = roam::Team::current();
    for (const std::size_t count : {1ul, 3ul, 5000ul}) {
      const auto add = [](const Wide& x, const Wide& y) { return Wide{x.a + y.a, x.b + y.b}; };
      std::vector<Wide> all(count, Wide{1, 0.5});
      all = team.allreduce(all, add);
      expect_eq(all.back().b * 2, 1.0 * team.size(), "sum");
      all = team.allreduce(std::vector<Wide>(count, Wide{1, 1}), roam::AnyOrder(add));
      expect_eq(all.back().a, 1.0 * team.size(), "sum in any order");
      all = team.scan(std::vector<Wide>(count, Wide{1, 1}), add);
      expect_eq(all.back().a, team.index() + 1.0, "scan");
    }
  }).join();
}

SCENARIO(Collectives, ManyMembersOnFewRanks) {
  roam::spawn_team(600, [] {
    const roam::Team team = roam::Team::current();
    for (int round = 0; round < 3; ++round) {
      expect_eq(team.allreduce(1), 600, "members");
      expect_eq(team.scan(1), team.index() + 1, "members up to oneself");
      roam::this_thread::migrate((roam::rank() + team.index()) % roam::ranks());
    }
  }).join();
}

// A rank from which fewer parts come than the last time waits for the missing ones for a while. It
// begins when its own members have all taken part, however long that took.
void wait_for_one_that_has_moved() {
  const roam::Team mine = roam::Team::current();
  const int first = roam::rank();
  mine.barrier();
  if (first == 3 && mine.index() % 2 == 0) roam::this_thread::migrate(1);
  const bool early = first == 2 && mine.index() % 2 == 0;
  if (!early) roam::this_thread::sleep_for(std::chrono::milliseconds(1'750));
  const auto begun = std::chrono::steady_clock::now();
  mine.barrier();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  if (!early && took.count() >= 0.8) throw std::runtime_error("the barrier ends late");
}
SCENARIO(Collectives, WaitNoLongerBecauseAMemberHasMoved, .ranks_needed = 4) {
  bool soon = false;
  for (int attempt = 0; attempt < 3 && !soon; ++attempt) {  // a rank may itself be late
    try {
      roam::spawn_team(2 * roam::ranks(), wait_for_one_that_has_moved).join();
      soon = true;
    } catch (const std::runtime_error&) {
    }
  }
  expect(soon, "the barrier ends soon after the last member came");
}

}  // namespace
}  // namespace roam_test
