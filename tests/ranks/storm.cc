// Many threads and moves at once.
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

using namespace std::chrono_literals;

SCENARIO(Storm, EveryRankSpawnsOntoEveryRank) {
  std::vector<roam::Thread> spawners;
  for (int r = 0; r < roam::ranks(); ++r) {
    spawners.push_back(roam::spawn(roam::SpawnOptions{.rank = r}, [r] {
      std::vector<roam::Thread> children;
      for (int i = 0; i < 200; ++i) {
        const int to = i % roam::ranks();
        children.push_back(
            roam::spawn(roam::SpawnOptions{.rank = to}, [to, r, i, text = std::string(i, 's')] {
              expect_eq(roam::rank(), to, "rank of a child");
              expect(text == std::string(i, 's'), "text from rank " + std::to_string(r));
            }));
      }
      for (roam::Thread child : children) child.join();
    }));
  }
  for (roam::Thread spawner : spawners) spawner.join();
}

// Crosses between two ranks with memory of its own.
void shuttle(int other, std::uint64_t seed, std::size_t bytes, int crossings) {
  const int home = roam::rank();
  std::vector<unsigned char> mine(bytes);
  Pattern(seed).fill(mine.data(), bytes);
  for (int i = 0; i < crossings; ++i) {
    roam::this_thread::migrate(i % 2 ? home : other);
    Pattern(seed).verify(mine.data(), bytes, "memory of a shuttle");
  }
}

void cross(int pairs, std::size_t bytes, int crossings) {
  std::vector<roam::Thread> threads;
  for (int r = 0; r < roam::ranks(); ++r) {
    for (int i = 0; i < pairs; ++i) {
      threads.push_back(roam::spawn(roam::SpawnOptions{.rank = r}, shuttle,
                                    (r + 1 + i) % roam::ranks(), mix(r * 1000 + i), bytes,
                                    crossings));
    }
  }
  for (roam::Thread thread : threads) thread.join();
}

SCENARIO(Storm, SmallThreadsCrossInAllDirections) { cross(100, 200, 20); }
SCENARIO(Storm, ThreadsOf64KiBCrossInAllDirections) { cross(20, 64 << 10, 10); }
SCENARIO(Storm, ThreadsOf8MiBCrossInAllDirections) { cross(2, 8 << 20, 6); }

SCENARIO(Storm, AllThreadsMeetOnOneRankAndGoHome) {
  static int met;  // the process's
  met = 0;
  const int here = roam::rank();
  std::vector<roam::Thread> threads;
  for (int i = 0; i < 400; ++i) {
    threads.push_back(roam::spawn(roam::SpawnOptions{.rank = i % roam::ranks()}, [here, i] {
      const std::string text(i, 'm');
      const int home = roam::rank();
      roam::this_thread::migrate(here);
      ++met;
      yield_until([] { return met == 400; });
      roam::this_thread::migrate(home);
      expect(text == std::string(i, 'm'), "text of a thread");
    }));
  }
  for (roam::Thread thread : threads) thread.join();
  expect_eq(met, 400, "threads that met");
}

SCENARIO(Storm, RequestsFromAllRanksForThreadsThatMoveByThemselves) {
  std::vector<roam::Thread> targets;
  for (int i = 0; i < 10; ++i) {
    targets.push_back(roam::spawn([i] {
      std::vector<unsigned char> mine(3000);
      Pattern(i).fill(mine.data(), mine.size());
      for (int k = 0; k < 200; ++k) {
        if (k % 3 == 0) {
          roam::this_thread::migrate((roam::rank() + i) % roam::ranks());
        } else if (k % 50 == 1) {
          roam::this_thread::sleep_for(1ms);
        } else {
          roam::this_thread::yield();
        }
        Pattern(i).verify(mine.data(), mine.size(), "memory of a thread that many ask for");
      }
    }));
  }
  std::vector<roam::Thread> askers;
  for (int r = 0; r < roam::ranks(); ++r) {
    askers.push_back(roam::spawn(roam::SpawnOptions{.rank = r}, [targets, r] {
      Random rng(r);
      for (int k = 0; k < 300; ++k) {
        try {
          roam::migrate(targets[rng.below(targets.size())],
                        static_cast<int>(rng.below(roam::ranks())));
        } catch (const roam::Error& error) {
          if (error.code() != roam::Errc::thread_ended) throw;
        }
        if (k % 10 == 0) roam::this_thread::yield();
      }
    }));
  }
  for (roam::Thread asker : askers) asker.join();
  for (roam::Thread target : targets) target.join();
}

SCENARIO(Storm, SleepersAndYieldersMoveTogether) {
  std::vector<roam::Thread> threads;
  for (int i = 0; i < 200; ++i) {
    threads.push_back(roam::spawn(roam::SpawnOptions{.rank = i % roam::ranks()}, [i] {
      const std::string text(i * 10, 'z');
      for (int k = 0; k < 10; ++k) {
        if ((i + k) % 3 == 0) {
          roam::this_thread::sleep_for(std::chrono::microseconds(100 * (i % 7)));
        } else if ((i + k) % 3 == 1) {
          roam::this_thread::yield();
        } else {
          roam::this_thread::migrate((roam::rank() + i) % roam::ranks());
        }
      }
      expect(text == std::string(i * 10, 'z'), "text of a thread");
    }));
  }
  for (roam::Thread thread : threads) thread.join();
}

// One long thread on the root's rank; the other ranks have nothing to do, and take part when they
// are asked.
SCENARIO(Idle, RanksWithNothingToDoWakeUpForWork) {
  for (int i = 0; i < 5; ++i) {
    roam::this_thread::sleep_for(30ms);
    for (int r = 0; r < roam::ranks(); ++r) on_rank(r, [r] { expect_eq(roam::rank(), r, "rank"); });
    std::uint64_t work = i;
    for (int k = 0; k < 5'000'000; ++k) work = mix(work);
    expect(work != 0, "a result of long work");
  }
}

}  // namespace
}  // namespace roam_test
