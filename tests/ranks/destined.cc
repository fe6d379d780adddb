// A thread that names the rank where it wants to be runs there next, though it is balanced or asked
// to move meanwhile.
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/random.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

// Enough ready threads for idle ranks to pull, which look at every chance.
SCENARIO(Destined, MigrateReturnsOnTheRankAskedFor) {
  roam::spawn_team(16 * roam::ranks(), [] {
    const roam::Team team = roam::Team::current();
    Random rng(static_cast<std::uint64_t>(team.index()) + 3);
    for (int round = 0; round < 200; ++round) {
      const int to = round % 2 != 0 ? 0 : team.index() % roam::ranks();
      roam::this_thread::migrate(to);
      expect_eq(roam::rank(), to, "where migrate() returned");
      std::uint64_t x = 1;
      for (int i = 0; i < 500; ++i) x = mix(x);
      expect(x != 0, "a number");
      if (rng.below(8) == 0) roam::this_thread::yield();
    }
    team.barrier();
  }).join();
}

SCENARIO(Destined, AThreadStartsOnTheRankNamed) {
  std::vector<roam::Thread> threads;
  std::vector<int> began(static_cast<std::size_t>(40 * roam::ranks()), -1);
  for (std::size_t i = 0; i < began.size(); ++i) {
    const int rank = static_cast<int>(i) % 3 == 0 ? roam::ranks() - 1 : 0;
    threads.push_back(roam::spawn({.rank = rank}, [rank] {
      expect_eq(roam::rank(), rank, "where a thread began");
      for (int k = 0; k < 3; ++k) roam::this_thread::yield();
    }));
  }
  for (const roam::Thread thread : threads) thread.join();
}

// Others ask it to go elsewhere all the time.
SCENARIO(Destined, WhoAsksMeanwhileWaits) {
  const int last = roam::ranks() - 1;
  roam::Thread wanderer = roam::spawn({.rank = last}, [last] {
    Random rng(11);
    for (int round = 0; round < 2'000; ++round) {
      const int to = static_cast<int>(rng.below(static_cast<std::uint64_t>(last) + 1));
      roam::this_thread::migrate(to);
      expect_eq(roam::rank(), to, "where migrate() returned");
      if (round % 16 == 0) roam::this_thread::yield();
    }
  });
  std::vector<roam::Thread> askers;
  for (int i = 0; i < 2 * roam::ranks(); ++i) {
    askers.push_back(roam::spawn({.rank = i % roam::ranks()}, [wanderer, i] {
      Random rng(static_cast<std::uint64_t>(i) + 50);
      try {
        for (;;) {
          roam::migrate(wanderer,
                        static_cast<int>(rng.below(static_cast<std::uint64_t>(roam::ranks()))));
          roam::this_thread::yield();
        }
      } catch (const roam::Error& error) {
        if (error.code() != roam::Errc::thread_ended) throw;
      }
    }));
  }
  wanderer.join();
  for (const roam::Thread asker : askers) asker.join();
}

}  // namespace
}  // namespace roam_test
