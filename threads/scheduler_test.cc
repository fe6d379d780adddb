#include "threads/scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/os/memory.h"
#include "base/sanitizers.h"
#include "roam/error.h"
#include "threads/test_threads.h"

namespace roam::threads {
namespace {

void yield() { scheduler().yield(); }
Tcb* self() { return scheduler().current(); }

// Waits in the state kBlocked; make_ready(t) wakes it.
void block() { scheduler().block("test", nullptr); }

// ---- order ----

TEST(Scheduler, ThreadsTakeTurnsInTheOrderInWhichTheyWereMade) {
  for (const int count : {1, 2, 5, 3000}) {
    TestThreads threads;
    std::vector<int> order;
    for (int i = 0; i < count; ++i) {
      threads.spawn([&order, i] {
        for (int turn = 0; turn < 4; ++turn) {
          order.push_back(i);
          yield();
        }
      });
    }
    threads.run();
    ASSERT_EQ(order.size(), 4u * static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < order.size(); ++i) {
      ASSERT_EQ(order[i], static_cast<int>(i) % count) << i;
    }
  }
}

TEST(Scheduler, AShuffledOrderFollowsFromItsSeed) {
  const auto order = [](std::uint64_t seed) {
    TestThreads threads(false, std::size_t{16} << 30, seed);
    std::vector<int> order;
    for (int i = 0; i < 20; ++i) {
      threads.spawn([&order, i] {
        for (int turn = 0; turn < 20; ++turn) {
          order.push_back(i);
          yield();
        }
      });
    }
    threads.run();
    EXPECT_EQ(order.size(), 400u);
    return order;
  };
  EXPECT_EQ(order(7), order(7));
  EXPECT_NE(order(7), order(8));
  EXPECT_NE(order(7), order(0));
}

TEST(Scheduler, ThreadsMakeThreads) {
  TestThreads threads;
  int ended = 0;
  std::function<void(int)> grow = [&](int depth) {
    for (int i = 0; i < 3 && depth > 0; ++i) threads.spawn([&, depth] { grow(depth - 1); });
    yield();
    ++ended;
  };
  threads.spawn([&] { grow(6); });
  threads.run();
  EXPECT_EQ(ended, (3 * 3 * 3 * 3 * 3 * 3 * 3 - 1) / 2);
}

TEST(Scheduler, TheHostIsAskedForWorkWhileThreadsNeverStop) {
  TestThreads threads;
  bool stop = false;
  threads.on_poll = [&] { stop = threads.polls > 5; };
  for (int i = 0; i < 3; ++i) {
    threads.spawn([&] {
      while (!stop) yield();
    });
  }
  threads.spawn([&] {
    while (!stop) yield();
  });
  threads.run();
  EXPECT_GT(threads.polls, 5);
}

// ---- waiting ----

TEST(Scheduler, ABlockedThreadRunsWhenItIsMadeReadyAndNotBefore) {
  TestThreads threads;
  std::vector<std::string> events;
  Tcb* waiter = threads.spawn([&] {
    events.push_back("waits");
    block();
    events.push_back("woken");
  });
  threads.spawn([&] {
    for (int i = 0; i < 3; ++i) yield();
    EXPECT_EQ(waiter->state, State::kBlocked);
    EXPECT_STREQ(waiter->waits_for, "test");
    events.push_back("wakes");
    scheduler().make_ready(waiter);
    EXPECT_EQ(waiter->state, State::kReady);
    yield();
  });
  threads.run();
  EXPECT_EQ(events, (std::vector<std::string>{"waits", "wakes", "woken"}));
}

TEST(Scheduler, TheHostMayWakeAThreadWhileNothingIsReady) {
  TestThreads threads;
  Tcb* waiter = threads.spawn([] {
    for (int i = 0; i < 3; ++i) block();
  });
  int wakes = 0;
  threads.on_idle = [&] {
    ++wakes;
    scheduler().make_ready(waiter);
    return true;
  };
  threads.run();
  EXPECT_EQ(wakes, 3);
}

TEST(Scheduler, SleepersWakeInTheOrderOfTheirDeadlinesAndNotBefore) {
  TestThreads threads;
  const std::int64_t now = now_ns() + 100'000'000;  // all of them sleep by then
  std::vector<int> order;
  for (const int i : {7, 2, 9, 0, 5, 3, 8, 1, 6, 4}) {
    threads.spawn([&, i] {
      const std::int64_t deadline = now + i * 1'000'000;
      scheduler().sleep_until(deadline);
      EXPECT_GE(now_ns(), deadline);
      order.push_back(i);
    });
  }
  threads.run();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_FALSE(scheduler().has_sleepers());
}

TEST(Scheduler, SleepersWithTheSameDeadlineAllWake) {
  TestThreads threads;
  const std::int64_t deadline = now_ns() + 1'000'000;
  int woken = 0;
  for (int i = 0; i < 100; ++i) {
    threads.spawn([&] {
      scheduler().sleep_until(deadline);
      ++woken;
    });
  }
  threads.run();
  EXPECT_EQ(woken, 100);
}

TEST(Scheduler, ASleeperWakesAlsoWhileOthersRunOn) {
  TestThreads threads;
  bool slept = false;
  threads.spawn([&] {
    scheduler().sleep_until(now_ns() + 1'000'000);
    slept = true;
  });
  threads.spawn([&] {
    while (!slept) yield();
  });
  threads.run();
  EXPECT_TRUE(slept);
}

TEST(Scheduler, ATimedWaitEndsAtItsDeadlineOrWhenItIsWoken) {
  TestThreads threads;
  bool timed_out = false, woken = false;
  threads.spawn([&] {
    const std::int64_t deadline = now_ns() + 1'000'000;
    timed_out = !scheduler().block_until("test", nullptr, deadline);
    EXPECT_GE(now_ns(), deadline);
  });
  Tcb* waiter = threads.spawn(
      [&] { woken = scheduler().block_until("test", nullptr, now_ns() + 3'600'000'000'000); });
  threads.spawn([&] {
    waiter->woken = true;
    scheduler().make_ready(waiter);
  });
  threads.run();
  EXPECT_TRUE(timed_out);
  EXPECT_TRUE(woken);
  EXPECT_FALSE(scheduler().has_sleepers()) << "the deadline of who was woken is forgotten";
}

// ---- destined threads ----

TEST(Scheduler, WhoIsDestinedRunsBeforeItGoesWhereItIsAskedTo) {
  TestThreads threads;
  std::vector<std::string> seen;
  threads.on_depart = [&](Tcb* t, int rank) {
    seen.push_back(std::string(t->name()) + " goes to " + std::to_string(rank));
    t->hops = 1;
    scheduler().resume_arrived(t);
    if (rank != 7) return;
    scheduler().ask_to_move(t, 5);  // it has arrived and not yet run
    EXPECT_EQ(t->state, State::kReady);
  };
  threads.spawn(
      [&] {
        Tcb* me = self();
        me->destined = true;
        scheduler().depart_current(7);
        scheduler().reached(me);
        seen.push_back("runs");
        yield();
        seen.push_back("runs again");
        EXPECT_EQ(me->move_to, -1);
      },
      "a");
  threads.run();
  EXPECT_EQ(seen, (std::vector<std::string>{"a goes to 7", "runs", "a goes to 5", "runs again"}));
}

// ---- making and ending ----

TEST(Scheduler, SlotsOfEndedThreadsAreUsedAgainForThreadsThatKnowNothingOfThem) {
  TestThreads threads;
  std::vector<Address> slots;
  for (int i = 0; i < 200; ++i) {
    Tcb* t = threads.spawn(
        [] {
          EXPECT_EQ(errno, 0);
          EXPECT_EQ(std::current_exception(), nullptr);
          EXPECT_EQ(self()->pins + self()->locks + self()->open_objects + self()->tied, 0);
          EXPECT_EQ(self()->move_to, -1);
          EXPECT_EQ(self()->hops, 0u);
          EXPECT_EQ(self()->exception, nullptr);
          errno = 5;
          self()->hops = 7;
          throw 1;
        },
        i % 2 == 0 ? "even" : std::string(100, 'o'));
    EXPECT_EQ(std::string(t->name()), i % 2 == 0 ? "even" : std::string(100, 'o'));
    slots.push_back(t->slot.begin);
    threads.run();
  }
  for (const Address slot : slots) EXPECT_EQ(slot, slots[0]);
}

TEST(Scheduler, AThreadThatLeavesNothingEndsIntoTheNextAndOtherEndsAreTheHosts) {
  constexpr int kThreads = 3000;  // more than rest
  TestThreads threads;
  std::vector<int> order;
  for (int i = 0; i < kThreads; ++i) {
    threads.spawn([&order, i] {
      EXPECT_EQ(std::uncaught_exceptions(), 0);
      order.push_back(i);
      if (i % 100 == 7) throw i;
      if (i % 100 == 8) static_cast<void>(self()->heap.allocate(4096));  // lives on
      if (i % 100 == 9) self()->heap.free(self()->heap.allocate(40'000));
    });
  }
  threads.run();
  ASSERT_EQ(order.size(), std::size_t{kThreads});
  for (int i = 0; i < kThreads; ++i) ASSERT_EQ(order[static_cast<std::size_t>(i)], i);
  EXPECT_GT(threads.ended_clean_count, 900);
  EXPECT_LE(threads.ended_clean_count, kThreads * 98 / 100);

  // The next threads run in the slots of those, whatever they left.
  const int before = threads.ended_clean_count;
  int ran = 0;
  for (int i = 0; i < 1000; ++i) {
    threads.spawn([&ran] {
      EXPECT_EQ(self()->exception, nullptr);
      EXPECT_EQ(self()->heap.address_bytes(), 0u);
      yield();
      ++ran;
    });
  }
  threads.run();
  EXPECT_EQ(ran, 1000);
  EXPECT_EQ(threads.ended_clean_count - before, 1000);
}

TEST(Scheduler, ManyThreadsLiveAtOnceAndEveryAddressComesBack) {
  TestThreads threads(false, std::size_t{64} << 30);
  iso::RangePool& pool = iso::pool(iso::Region::kSlots);
  const std::size_t before = pool.free_bytes();
  constexpr int kThreads =
      static_cast<int>(std::min(20'000 / sanitizers::kStackFactor, sanitizers::kMostThreads / 2));
  std::vector<Tcb*> made;
  int ran = 0;
  for (int i = 0; i < kThreads; ++i) {
    made.push_back(threads.spawn([&ran] {
      yield();
      ++ran;
    }));
  }
  std::size_t seen = 0;
  scheduler().for_each([&](const Tcb*) { ++seen; });
  EXPECT_EQ(seen, static_cast<std::size_t>(kThreads));
  std::sort(made.begin(), made.end());
  for (std::size_t i = 1; i < made.size(); ++i) {
    ASSERT_GE(made[i]->slot.begin, made[i - 1]->slot.end());
  }
  threads.run();
  EXPECT_EQ(ran, kThreads);
  scheduler().drop_recycled(0);
  EXPECT_EQ(pool.free_bytes(), before);
}

TEST(Scheduler, NamesOfAnyLengthAreKept) {
  TestThreads threads;
  for (const std::size_t n : {0ul, 1ul, 30ul, 31ul, 32ul, 33ul, 1000ul}) {
    const std::string name(n, 'n');
    Tcb* t = threads.spawn([] {}, name);
    EXPECT_EQ(t->name(), name);
  }
  threads.run();
}

TEST(Scheduler, AThreadThatNeverRanIsGivenBack) {
  TestThreads threads;
  Tcb* first = scheduler().make(256 << 10, "never");
  const Range slot = first->slot;
  scheduler().retire(first);
  int ran = 0;
  Tcb* second = threads.spawn([&] { ++ran; });
  EXPECT_EQ(second->slot, slot);
  threads.run();
  EXPECT_EQ(ran, 1);
}

TEST(Scheduler, StacksThatCannotBeHadAreRefusedAndTheRestGoesOn) {
  TestThreads threads(false, 64 << 20);
  try {
    scheduler().make(std::size_t{1} << 40, "huge");
    ADD_FAILURE() << "was made";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::bad_option);
  }
  EXPECT_THROW(scheduler().make(SIZE_MAX, "more"), Error);
  int made = 0, ran = 0;
  try {
    for (;; ++made) threads.spawn([&] { ++ran; });
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::out_of_address_space);
    EXPECT_NE(std::string(error.what()).find("ROAM_ARENA"), std::string::npos) << error.what();
  }
  EXPECT_GT(made, 10);
  threads.run();
  EXPECT_EQ(ran, made);
  threads.spawn([&] { ++ran; });
  threads.run();
  EXPECT_EQ(ran, made + 1);
}

TEST(Scheduler, AStackThatTheKernelHasNoMemoryForIsRefused) {
  TestThreads threads;
  os::fail_after = 1;
  try {
    scheduler().make(256 << 10, "unlucky");
    ADD_FAILURE() << "was made";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::out_of_memory);
  }
  os::fail_after = 0;
  bool ran = false;
  threads.spawn([&] { ran = true; });
  threads.run();
  EXPECT_TRUE(ran);
}

TEST(Scheduler, AnAddressIsOwnedByTheThreadInWhoseMemoryItLies) {
  TestThreads threads;
  for (const std::size_t stack : {16384ul, 262144ul, 8ul << 20}) {
    threads.spawn(
        [] {
          char local = 0;
          void* small = self()->heap.allocate(8);
          void* large = self()->heap.allocate(1 << 20);
          for (const void* p : std::initializer_list<const void*>{
                   &local, self(), small, large, static_cast<char*>(large) + (1 << 20) - 1,
                   self()->slot.pointer(), reinterpret_cast<void*>(self()->slot.end() - 1)}) {
            EXPECT_EQ(detail::owner_of(p), self()) << p;
          }
          EXPECT_EQ(detail::tcb_of_heap(&self()->heap), self());
        },
        "owner", stack);
  }
  threads.run();
  int local = 0;
  EXPECT_EQ(detail::owner_of(&local), nullptr);
  EXPECT_EQ(detail::owner_of(nullptr), nullptr);
}

}  // namespace
}  // namespace roam::threads
