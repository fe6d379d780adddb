// Threads whose pages are sent while they run: whatever writes meanwhile, they come as they were.
#include <sys/mman.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/changing_load.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

using namespace std::chrono_literals;

// Whether pages can go ahead from here to `to`.
bool may_be_live(int to) {
  for (int rank = 0; rank < roam::ranks(); ++rank) {
    for (int other = 0; other < rank; ++other) {
      if (roam::node_of(rank) == roam::node_of(other)) return false;
    }
  }
  return to != roam::rank();
}

// What a thread that has just come says of its move.
void expect_moved(bool live, std::size_t least_bytes) {
  if (!live) {
    // Inside a node what is to be said of it comes a little later than the thread.
    yield_until([] { return !roam::this_thread::live_move().why.empty(); });
    expect(!roam::this_thread::live_move().live, "an ordinary move says so");
    return;
  }
  const roam::LiveMove move = roam::this_thread::live_move();
  if (move.why.find("cannot tell which pages") != std::string::npos) return;  // this kernel
  expect(move.live, "its pages went ahead: " + move.why);
  expect(move.bytes_running >= least_bytes, "bytes sent while it ran");
  expect(move.rounds > 0 && move.still > 0ns, "rounds and time");
}

// Where it is asked to be, by itself: it goes on meanwhile.
template <class Work>
void travel(int to, Work work) {
  roam::migrate(roam::this_thread::self(), to, roam::Live{});
  while (roam::rank() != to) {
    work();
    roam::this_thread::yield();
  }
}

SCENARIO(Live, ComesAsItWasWhateverItWrites, .ranks_needed = 2) {
  std::vector<roam::Thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.push_back(roam::spawn({.rank = i % roam::ranks()}, [i] {
      Load load(static_cast<std::uint64_t>(i) + 1);
      for (int block = 0; block < 8; ++block) load.add(300);
      for (int hop = 0; hop < 3; ++hop) {
        const int to = next_rank();
        const bool live = may_be_live(to);
        travel(to, [&load] { load.change(); });
        load.verify();
        expect_moved(live, live ? 1 << 20 : 0);
      }
    }));
  }
  for (const roam::Thread t : threads) t.join();
}

SCENARIO(Live, OneThatOnlyWaitsHardlyHasToStandStill, .ranks_needed = 2) {
  on_rank(0, [] {
    Load load(5);
    load.add(4000);
    const int to = next_rank();
    const bool live = may_be_live(to);
    travel(to, [] { roam::this_thread::sleep_for(1ms); });
    load.verify();
    expect_moved(live, load.pages() * 4096);
    const roam::LiveMove move = roam::this_thread::live_move();
    if (move.live) expect(move.bytes_still < 1 << 20, "little is left for when it stands still");
    // What it says is of the last move.
    travel(0, [] {});
    roam::this_thread::migrate(to);
    expect(!roam::this_thread::live_move().live, "an ordinary move later is one");
  });
}

// What has been given up on the way, and comes back, holds what it held where it was last.
SCENARIO(Live, AddressesGoElsewhereAndComeBackMeanwhile, .ranks_needed = 2) {
  std::vector<roam::Thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.push_back(roam::spawn({.rank = i % 2}, [i] {
      Load load(static_cast<std::uint64_t>(i) + 100);
      for (int block = 0; block < 3; ++block) load.add(200);
      for (int hop = 0; hop < 5; ++hop) {
        const int to = next_rank();
        if (load.random().one_in(3)) {
          roam::this_thread::migrate(to);
        } else {
          travel(to, [&load] { load.change(); });
        }
        load.verify();
      }
    }));
  }
  for (const roam::Thread t : threads) t.join();
}

// What was sent, and is then thrown away and not touched, is zeros there too.
SCENARIO(Live, WhatItThrowsAwayMeanwhileIsZeros, .ranks_needed = 2) {
  constexpr int kGuardInstall = 102, kGuardRemove = 103;
  for (const int advice : {MADV_DONTNEED, kGuardInstall}) {
    on_rank(0, [advice] {
      constexpr std::size_t kBytes = 16 << 20, kThrown = 4 << 20;
      char* block = static_cast<char*>(std::aligned_alloc(4096, kBytes));
      std::memset(block, 7, kBytes);
      char* thrown = block + (kBytes - kThrown) / 2;
      bool zeros = false;
      const int to = next_rank();
      roam::migrate(roam::this_thread::self(), to, roam::Live{});
      {
        const roam::this_thread::Pin pin;  // all goes ahead, and is looked at again
        roam::this_thread::sleep_for(80ms);
        zeros = madvise(thrown, kThrown, advice) == 0;
        if (zeros && advice == kGuardInstall)
          expect_eq(madvise(thrown, kThrown, kGuardRemove), 0, "the guard is taken away");
      }
      while (roam::rank() != to) roam::this_thread::yield();
      for (std::size_t i = 0; i < kBytes; i += 512) {
        const bool was_thrown = zeros && block + i >= thrown && block + i < thrown + kThrown;
        if (block[i] != (was_thrown ? 0 : 7))
          expect_eq(int{block[i]}, was_thrown ? 0 : 7, "byte " + std::to_string(i));
      }
      std::free(block);
    });
  }
}

// It is kept where it was, and sealed after a while, when it comes back already.
SCENARIO(Live, ToAndFroNothingIsSentTwice, .ranks_needed = 2) {
  on_rank(0, [] {
    Load load(23);
    load.add(8000);
    for (int hop = 0; hop < 4; ++hop) {
      const int to = hop % 2 == 0 ? 1 : 0;
      const bool live = may_be_live(to);
      roam::migrate(roam::this_thread::self(), to, roam::Live{});
      {
        const roam::this_thread::Pin pin;  // for longer than what is kept stays as it was
        roam::this_thread::sleep_for(live ? 100ms : 1ms);
      }
      while (roam::rank() != to) roam::this_thread::sleep_for(1ms);
      expect_moved(live, load.pages() * 4096);
    }
    load.verify();
  });
}

SCENARIO(Live, OthersFreeItsMemoryMeanwhile, .ranks_needed = 2) {
  static std::vector<void*>* given = nullptr;
  given = new std::vector<void*>;
  const roam::Thread t = roam::spawn({.rank = 0}, [] {
    Load load(9);
    for (int block = 0; block < 40; ++block) load.add(block % 2 == 0 ? 60 : 1);
    const int to = next_rank();
    travel(to, [&load, to] {
      load.change();
      if (roam::rank() == to || !load.random().one_in(4) || load.pages() < 700) return;
      const roam::this_thread::Pin pin;  // what is freed is to be on this rank
      void* block = load.give_last();
      {
        const roam::SystemHeap process;
        given->push_back(block);
      }
      yield_until([] { return given->empty(); });
    });
    load.verify();
  });
  static bool over = false;
  over = false;
  const roam::Thread frees = roam::spawn({.rank = 0}, [] {
    for (; !over; roam::this_thread::yield()) {
      for (void* block : *given) std::free(block);
      given->clear();
    }
  });
  t.join();
  over = true;
  frees.join();
  delete given;
}

SCENARIO(Live, MessagesComeIntoItsMemoryAndGoFromIt, .ranks_needed = 2) {
  roam::spawn_team(2, [] {
    const roam::Team team = roam::Team::current();
    constexpr std::size_t kNumbers = 400'000;
    std::vector<std::uint64_t> mine(kNumbers), theirs(kNumbers);
    const int other = 1 - team.index();
    for (int round = 0; round < 9; ++round) {
      if (team.index() == 0 && round % 3 == 0)
        roam::migrate(roam::this_thread::self(), next_rank(), roam::Live{});
      for (std::size_t i = 0; i < kNumbers; ++i)
        mine[i] = mix(i + static_cast<std::uint64_t>(round * 2 + team.index()) * kNumbers);
      roam::Request in = team.irecv(other, round, theirs);
      roam::Request out = team.isend(other, round, mine);
      in.wait();
      for (std::size_t i = 0; i < kNumbers; ++i) {
        if (theirs[i] != mix(i + static_cast<std::uint64_t>(round * 2 + other) * kNumbers))
          expect_eq(theirs[i], mix(i + static_cast<std::uint64_t>(round * 2 + other) * kNumbers),
                    "number " + std::to_string(i));
      }
      out.wait();
      roam::this_thread::yield();
    }
    team.barrier();
  }).join();
}

SCENARIO(Live, OneThatEndsMeanwhileLeavesNothing, .ranks_needed = 2) {
  for (int i = 0; i < 5; ++i) {
    const roam::Thread t = roam::spawn({.rank = 0}, [i] {
      Load load(11);
      load.add(3000);
      roam::migrate(roam::this_thread::self(), 1, roam::Live{});
      for (int turn = 0; turn < 20 * i; ++turn) roam::this_thread::yield();
    });
    t.join();
  }
}

SCENARIO(Live, GoesWhereItWasAskedToBeLast, .ranks_needed = 3) {
  for (const bool live : {true, false}) {
    for (const int last : {2, 0}) {
      static bool loaded = false;
      loaded = false;
      const roam::Thread t = roam::spawn({.rank = 0}, [last] {
        Load load(13);
        load.add(2000);
        loaded = true;
        const int least = last == 0 ? 300 : 0;
        for (int i = 0; i < 20'000 && (i < least || roam::rank() != last); ++i) {
          load.change();
          roam::this_thread::sleep_for(200us);
        }
        expect_eq(roam::rank(), last, "where it was asked to be last");
        load.verify();
      });
      yield_until([] { return loaded; });
      roam::migrate(t, 1, roam::Live{});
      roam::this_thread::sleep_for(2ms);
      if (live)
        roam::migrate(t, last, roam::Live{});
      else
        roam::migrate(t, last);
      t.join();
    }
  }
}

// It goes when it can, as by any other request.
SCENARIO(Live, WhoIsHeldWhenItIsToGoGoesLater, .ranks_needed = 2) {
  const roam::Thread t = roam::spawn({.rank = 0}, [] {
    Load load(17);
    load.add(2000);
    roam::migrate(roam::this_thread::self(), 1, roam::Live{});
    {
      const roam::this_thread::Pin pin;
      for (int i = 0; i < 60; ++i) {
        load.change();
        roam::this_thread::sleep_for(1ms);
      }
      expect_eq(roam::rank(), 0, "where it is held");
    }
    while (roam::rank() == 0) {
      load.change();
      roam::this_thread::sleep_for(100us);
    }
    load.verify();
  });
  t.join();
}

SCENARIO(Live, OrdinaryMovesSayWhy, .ranks_needed = 2) {
  on_rank(0, [] {
    const int to = next_rank();
    travel(to, [] {});
    expect_eq(roam::rank(), to, "rank");
    expect_moved(false, 0);
  });
  expect(!roam::this_thread::live_move().live, "who never moved");
}

SCENARIO(Live, RefusesWhatCannotBe) {
  const roam::Thread self = roam::this_thread::self();
  expect_error(roam::Errc::no_such_rank, {std::to_string(roam::ranks())},
               [] { roam::migrate(roam::this_thread::self(), roam::ranks(), roam::Live{}); });
  expect_error(roam::Errc::bad_option, {"-5 us", "4294967294 us"},
               [self] { roam::migrate(self, 0, roam::Live{.most_still = -5us}); });
  expect_error(roam::Errc::no_such_thread, {"empty"},
               [] { roam::migrate(roam::Thread(), 0, roam::Live{}); });
  const roam::Thread ended = roam::spawn([] {});
  ended.join();
  expect_error(roam::Errc::thread_ended, {"ended"},
               [ended] { roam::migrate(ended, 0, roam::Live{}); });
}

// Of this test the last, as pages are watched for checkpoints from then on.
SCENARIO(Live, ACheckpointMeanwhileMakesItAnOrdinaryMove, .ranks_needed = 2) {
  std::string folder =
      std::string(std::getenv("TEST_TMPDIR") != nullptr ? std::getenv("TEST_TMPDIR") : "/tmp") +
      "/live-XXXXXX";
  expect(mkdtemp(folder.data()) != nullptr, "a folder");
  static bool loaded = false;
  for (int i = 0; i < 2; ++i) {
    loaded = false;
    const roam::Thread t = roam::spawn({.rank = 0}, [] {
      Load load(19);
      load.add(3000);
      loaded = true;
      while (roam::rank() == 0) {
        load.change();
        roam::this_thread::sleep_for(100us);
      }
      load.verify();
    });
    yield_until([] { return loaded; });
    roam::migrate(t, 1, roam::Live{});
    roam::this_thread::sleep_for(1ms);
    expect(roam::checkpoint(folder) == roam::Resumed::no, "it goes on");
    t.join();
  }
}

}  // namespace
}  // namespace roam_test
