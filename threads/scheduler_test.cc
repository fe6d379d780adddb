#include "threads/scheduler.h"

#include <gtest/gtest.h>

#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
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

// ---- ending ----

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

}  // namespace
}  // namespace roam::threads
