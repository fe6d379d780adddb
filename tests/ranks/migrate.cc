// Moving oneself and others, in every state that a thread can be in.
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <numeric>
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

// It is on its way, and has not left: who waits on what is its own must not be left behind.
SCENARIO(Migrate, StaysForWhoBeganToWaitOnItsObjects, .ranks_needed = 2) {
  for (const bool asked_before : {false, true}) {
    static roam::Channel<int>* channel = nullptr;
    channel = nullptr;
    const roam::Thread t = roam::spawn({.rank = 0}, [] {
      roam::Channel<int> own(1);
      channel = &own;
      roam::this_thread::sleep_for(std::chrono::milliseconds(100));
      own.send(7);
      for (int i = 0; i < 5000 && roam::rank() == 0; ++i)
        roam::this_thread::sleep_for(std::chrono::milliseconds(1));
      expect_eq(roam::rank(), 1, "where it was asked to be");
    });
    while (channel == nullptr) roam::this_thread::yield();
    roam::Thread asker;
    if (asked_before) {
      roam::migrate(t, 1);
    } else {
      asker = roam::spawn({.rank = 0}, [t] { roam::migrate(t, 1); });
    }
    expect_eq(channel->recv().value(), 7, "what it sends");
    t.join();
    if (asker) asker.join();
  }
}

// As before, and it is asked again while it is on its way: to go elsewhere, or to stay.
SCENARIO(Migrate, WhoHasToStayFirstGoesWhereItWasAskedToBeLast, .ranks_needed = 3) {
  for (const int last : {2, 0}) {
    static roam::Channel<int>* channel = nullptr;
    channel = nullptr;
    const roam::Thread t = roam::spawn({.rank = 0}, [last] {
      roam::Channel<int> own(1);
      channel = &own;
      roam::this_thread::sleep_for(std::chrono::milliseconds(100));
      own.send(7);
      const int most = last == 0 ? 50 : 5000;
      for (int i = 0; i < most && roam::rank() == 0; ++i)
        roam::this_thread::sleep_for(std::chrono::milliseconds(1));
      expect_eq(roam::rank(), last, "where it was asked to be last");
    });
    while (channel == nullptr) roam::this_thread::yield();
    roam::migrate(t, 1);
    roam::migrate(t, last);
    expect_eq(channel->recv().value(), 7, "what it sends");
    t.join();
  }
}

// Its holder unlocks it where it is.
SCENARIO(Migrate, WhoseMutexAnotherHoldsStaysUntilItIsUnlocked, .ranks_needed = 2) {
  for (const bool of_libc : {false, true}) {
    const roam::Thread owner = roam::spawn({.rank = 0}, [of_libc] {
      roam::Mutex own;
      std::mutex own_of_libc;
      bool held = false, over = false;
      const auto hold = [&](auto& mutex) {
        mutex.lock();
        held = true;
        roam::this_thread::sleep_for(std::chrono::milliseconds(50));
        over = true;
        mutex.unlock();
      };
      const roam::Thread holder =
          roam::spawn({.rank = 0}, [&] { of_libc ? hold(own_of_libc) : hold(own); });
      yield_until([&] { return held; });
      expect_error(roam::Errc::pinned, {"lock"}, [] { roam::this_thread::migrate(1); });
      roam::migrate(roam::this_thread::self(), 1);
      roam::this_thread::yield();
      expect_eq(roam::rank(), 0, "rank while the lock is held");
      {
        std::unique_lock lock(own, std::defer_lock);
        std::unique_lock lock_of_libc(own_of_libc, std::defer_lock);
        of_libc ? lock_of_libc.lock() : lock.lock();
        expect(over, "one at a time has it");
      }
      for (int i = 0; i < 5000 && roam::rank() == 0; ++i)
        roam::this_thread::sleep_for(std::chrono::milliseconds(1));
      expect_eq(roam::rank(), 1, "where it was asked to be");
      holder.join();
    });
    owner.join();
  }
}

// Who has woken others and moves itself lets them look first.
SCENARIO(Migrate, LetsThoseLookWhomItHasWoken, .ranks_needed = 2) {
  static roam::Channel<int>* channel = nullptr;
  channel = nullptr;
  const roam::Thread t = roam::spawn({.rank = 0}, [] {
    roam::Channel<int> own(1);
    channel = &own;
    roam::this_thread::sleep_for(std::chrono::milliseconds(50));
    own.send(8);
    roam::this_thread::migrate(1);
  });
  while (channel == nullptr) roam::this_thread::yield();
  expect_eq(channel->recv().value(), 8, "what it sends");
  t.join();
}

SCENARIO(Migrate, ReturnsOnEachRankInTurnAndOnItsOwn) {
  std::vector<std::uint64_t> data(10000);
  std::iota(data.begin(), data.end(), 7);
  const auto copy = data;
  for (int from = 0; from < roam::ranks(); ++from) {
    for (int to = 0; to < roam::ranks(); ++to) {
      roam::this_thread::migrate(from);
      expect_eq(roam::rank(), from, "rank");
      roam::this_thread::migrate(to);
      expect_eq(roam::rank(), to, "rank");
      expect(data == copy,
             "data after a move from " + std::to_string(from) + " to " + std::to_string(to));
    }
  }
}

SCENARIO(Migrate, RefusesARankThatIsNotAndGoesOn) {
  const int here = roam::rank();
  for (int bad : {roam::ranks(), -1, -7, 1 << 20}) {
    expect_error(roam::Errc::no_such_rank, {std::to_string(bad), std::to_string(roam::ranks() - 1)},
                 [bad] { roam::this_thread::migrate(bad); });
    expect_error(roam::Errc::no_such_rank, {std::to_string(bad)},
                 [bad] { roam::migrate(roam::this_thread::self(), bad); });
    expect_eq(roam::rank(), here, "rank after a refusal");
  }
  expect_error(roam::Errc::no_such_thread, {}, [] { roam::migrate(roam::Thread(), 0); });
  roam::this_thread::migrate(next_rank());
}

// What dies between two moves dies in runs, so that pages that hold nothing do not travel and are
// used again elsewhere.
SCENARIO(Migrate, AHeapWithHolesMovesOnAndIsFilledAgain) {
  struct Block {
    std::unique_ptr<char[]> memory;
    std::size_t bytes;
    std::uint64_t seed;
  };
  Random random(7);
  std::vector<Block> blocks;
  for (int move = 0; move < 30; ++move) {
    while (blocks.size() < 3000) {
      const std::size_t bytes = 16 + random.below(random.below(20) == 0 ? 20'000 : 500);
      blocks.push_back({std::make_unique<char[]>(bytes), bytes, random.next()});
      Pattern(blocks.back().seed).fill(blocks.back().memory.get(), bytes);
    }
    // Neighbours by address die together.
    const std::uint64_t run_bytes = 4096u << (1 + random.below(4));
    std::erase_if(blocks, [&](const Block& block) {
      const std::uint64_t run = reinterpret_cast<std::uintptr_t>(block.memory.get()) / run_bytes;
      return mix(run + static_cast<std::uint64_t>(move)) % 3 != 0;
    });
    roam::this_thread::migrate(next_rank());
    for (const Block& block : blocks)
      Pattern(block.seed).verify(block.memory.get(), block.bytes, "a block that lived on");
  }
}

SCENARIO(MigrateOther, AReadyThreadMovesBeforeItRuns) {
  for (int to = 0; to < roam::ranks(); ++to) {
    const roam::Thread child = roam::spawn([to, text = std::string(5000, 'r')] {
      expect_eq(roam::rank(), to, "rank at its first instruction");
      expect(text == std::string(5000, 'r'), "what it captured");
    });
    roam::migrate(child, to);  // it has not run: this thread has not suspended
    child.join();
  }
}

SCENARIO(MigrateOther, OneselfTakesEffectWhenItSuspends) {
  const int to = next_rank();
  roam::migrate(roam::this_thread::self(), to);
  roam::this_thread::yield();
  expect_eq(roam::rank(), to, "rank after a yield");
}

SCENARIO(MigrateOther, ARunningThreadOfAnotherRankMovesWhenItSuspends) {
  for (int from = 0; from < roam::ranks(); ++from) {
    const int to = (from + 1) % roam::ranks();
    const roam::Thread child = roam::spawn(roam::SpawnOptions{.rank = from}, [to] {
      std::vector<std::uint64_t> work(1000, 1);
      while (roam::rank() != to) {
        for (auto& x : work) x = mix(x);
        roam::this_thread::yield();
      }
      std::uint64_t want = work[0];
      for (auto x : work) expect_eq(x, want, "element of what it worked on");
    });
    roam::migrate(child, to);
    child.join();
  }
}

SCENARIO(MigrateOther, ASleepingThreadMovesAndSleepsOn) {
  for (int to = 0; to < roam::ranks(); ++to) {
    bool asleep = false;
    const roam::Thread child = roam::spawn([&asleep, to] {
      const auto start = std::chrono::steady_clock::now();
      asleep = true;
      roam::this_thread::sleep_for(50ms);
      expect_eq(roam::rank(), to, "rank after the sleep");
      expect(std::chrono::steady_clock::now() - start >= 50ms, "it slept for as long as it asked");
    });
    yield_until([&] { return asleep; });
    roam::migrate(child, to);
    child.join();
  }
}

SCENARIO(MigrateOther, AThreadOfAThirdRankMovesThere, .ranks_needed = 3) {
  for (int asker = 0; asker < roam::ranks(); ++asker) {
    const roam::Thread child = roam::spawn(roam::SpawnOptions{.rank = 1}, [] {
      const std::string text(10000, 't');
      while (roam::rank() != 2) roam::this_thread::yield();
      expect(text == std::string(10000, 't'), "its text");
    });
    on_rank(asker, [child] { roam::migrate(child, 2); });
    child.join();
  }
}

SCENARIO(MigrateOther, AThreadThatHasMovedManyTimesIsFound) {
  const roam::Thread child = roam::spawn([] {
    for (int i = 0; i < 100; ++i) roam::this_thread::migrate(next_rank());
    const int start = roam::rank();
    const int to = (start + 1) % roam::ranks();
    roam::spawn(
        roam::SpawnOptions{.rank = (start + 2) % roam::ranks()},
        [to](roam::Thread whom) { roam::migrate(whom, to); }, roam::this_thread::self())
        .join();
    roam::this_thread::yield();
    expect_eq(roam::rank(), to, "rank");
  });
  child.join();
}

SCENARIO(MigrateOther, TheLastOfSeveralRequestsCounts) {
  const int last = roam::ranks() - 1;
  bool started = false;
  roam::Latch latch(1);
  const roam::Thread waiter = roam::spawn([&, last] {
    started = true;
    latch.wait();
    expect_eq(roam::rank(), last, "rank after waiting");
  });
  yield_until([&] { return started; });
  for (int to = 0; to < roam::ranks(); ++to) roam::migrate(waiter, to);
  latch.count_down();
  waiter.join();
}

SCENARIO(MigrateOther, AnEndedThreadIsAnError) {
  for (int r = 0; r < roam::ranks(); ++r) {
    const roam::Thread child = roam::spawn(roam::SpawnOptions{.rank = r}, [] {});
    child.join();
    expect_error(roam::Errc::thread_ended, {}, [&] { roam::migrate(child, 0); });
    on_rank(next_rank(), [child] {
      expect_error(roam::Errc::thread_ended, {}, [&] { roam::migrate(child, 0); });
    });
  }
}

}  // namespace
}  // namespace roam_test
