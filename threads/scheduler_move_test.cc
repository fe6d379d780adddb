#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/test_bytes.h"
#include "threads/scheduler.h"
#include "threads/test_memory.h"
#include "threads/test_threads.h"

namespace roam::threads {
namespace {

void yield() { scheduler().yield(); }
Tcb* self() { return scheduler().current(); }

// Waits in the state kBlocked; make_ready(t) wakes it.
void block() { scheduler().block("test", nullptr); }

TEST(Scheduler, AThreadThatDepartsIsSuspendedFirstAndGoesOnWhereItArrives) {
  TestThreads threads;
  std::vector<std::string> events;
  threads.on_depart = [&](Tcb* t, int rank) {
    events.push_back("to " + std::to_string(rank));
    EXPECT_EQ(scheduler().current(), nullptr);
    scheduler().resume_arrived(t);
  };
  threads.spawn([&] {
    const std::uint64_t seed = test_seed();
    char bytes[1000];
    fill_bytes(bytes, sizeof bytes, seed);
    for (int rank = 3; rank < 6; ++rank) {
      scheduler().depart_current(rank);
      events.push_back("back");
      EXPECT_TRUE(holds_bytes(bytes, sizeof bytes, seed));
    }
  });
  threads.run();
  EXPECT_EQ(events, (std::vector<std::string>{"to 3", "back", "to 4", "back", "to 5", "back"}));
}

// Of so many, those come first for which there is room from before.
TEST(Scheduler, WhoIsAskedToMoveWhereThereIsNoMemoryForThatGoesLater) {
  constexpr int kThreads = 600;
  TestThreads threads;
  std::vector<Tcb*> asked;
  int went = 0;
  threads.on_depart = [&](Tcb* t, int rank) {
    EXPECT_EQ(rank, 7);
    ++went;
    scheduler().resume_arrived(t);
  };
  int left = kThreads;
  bool over = false;
  for (int i = 0; i < kThreads; ++i) {
    asked.push_back(threads.spawn([&, i] {
      if (i % 2 == 0) {
        block();
      } else {
        scheduler().sleep_until(now_ns() + 1'000'000);
      }
      while (!over) yield();
      --left;
    }));
  }
  threads.spawn([&] {
    yield();
    {
      const NoMemory none;
      for (int i = 0; i < kThreads; ++i) {
        scheduler().ask_to_move(asked[static_cast<std::size_t>(i)], 7);
        if (i % 2 == 0) scheduler().make_ready(asked[static_cast<std::size_t>(i)]);
      }
      int here = 0;
      for (const Tcb* t : asked) here += t->state != State::kDeparting ? 1 : 0;
      EXPECT_GT(here, 0) << "there was room for all: the test shows nothing";
    }
    while (went < kThreads) yield();
    for (const Tcb* t : asked) EXPECT_EQ(t->move_to, -1);
    over = true;
  });
  threads.run();
  EXPECT_EQ(left, 0);
}

TEST(Scheduler, AThreadIsMovedFromEachStateWhenItMay) {
  using Departures = std::vector<std::pair<Tcb*, int>>;
  TestThreads threads;
  Tcb* yields = threads.spawn(
      [] {
        yield();
        yield();
        yield();
      },
      "yields");
  Tcb* sleeps = threads.spawn([] { scheduler().sleep_until(now_ns() + 20'000'000); }, "sleeps");
  Tcb* blocks = threads.spawn([] { block(); }, "blocks");
  threads.spawn([&] {
    yield();
    scheduler().ask_to_move(yields, 7);
    scheduler().ask_to_move(sleeps, 8);
    scheduler().ask_to_move(blocks, 9);
    EXPECT_EQ(yields->state, State::kDeparting);
    EXPECT_EQ(sleeps->state, State::kDeparting);
    EXPECT_EQ(blocks->state, State::kBlocked) << "it moves when it is woken";
    yield();
    EXPECT_EQ(threads.departures, (Departures{{yields, 7}, {sleeps, 8}}));
    scheduler().make_ready(blocks);
    yield();
    EXPECT_EQ(threads.departures.back(), (std::pair<Tcb*, int>{blocks, 9}));
    scheduler().ask_to_move(self(), 6);
    EXPECT_EQ(threads.departures.size(), 3u) << "who runs moves when it next suspends";
    yield();
    EXPECT_EQ(threads.departures.back(), (std::pair<Tcb*, int>{self(), 6}));
  });
  threads.run();
  EXPECT_EQ(threads.departures.size(), 4u);
}

TEST(Scheduler, ASleeperThatMovesSleepsOnWhereItArrives) {
  TestThreads threads;
  const std::int64_t deadline = now_ns() + 5'000'000;
  Tcb* sleeper = threads.spawn([&] {
    scheduler().sleep_until(deadline);
    EXPECT_GE(now_ns(), deadline);
  });
  threads.spawn([&] {
    scheduler().ask_to_move(sleeper, 5);
    yield();
  });
  threads.run();
  EXPECT_EQ(threads.departures.size(), 1u);
}

TEST(Scheduler, APinnedThreadStaysUntilItIsReleased) {
  TestThreads threads;
  Tcb* pinned = threads.spawn([&] {
    ++self()->pins;
    for (int i = 0; i < 5; ++i) yield();
    EXPECT_TRUE(threads.departures.empty());
    --self()->pins;
    scheduler().loosened(self());
    yield();
    EXPECT_EQ(threads.departures.size(), 1u);
  });
  threads.spawn([&] { scheduler().ask_to_move(pinned, 4); });
  threads.run();
  ASSERT_EQ(threads.departures.size(), 1u);
  EXPECT_EQ(threads.departures[0].second, 4);
}

TEST(Scheduler, AskingForTheRankWhereItIsTakesAnEarlierRequestBack) {
  TestThreads threads;
  Tcb* t = threads.spawn([] { block(); });
  threads.spawn([&] {
    scheduler().ask_to_move(t, 5);
    scheduler().ask_to_move(t, TestThreads::kRank);
    scheduler().make_ready(t);
  });
  threads.run();
  EXPECT_TRUE(threads.departures.empty());
}

// Threads that yield, sleep, block each other awake, throw and are moved at random, for as long as
// it takes to find order mistakes; each keeps bytes on its stack.
TEST(Scheduler, RandomThreadsDoWhatTheyShouldInAnyOrder) {
  const std::uint64_t seed = test_seed();
  for (const bool shared : {false, true}) {
    for (const std::uint64_t shuffle : {std::uint64_t{0}, seed | 1}) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << " shuffle " << shuffle);
      TestThreads threads(shared, std::size_t{16} << 30, shuffle);
      std::mt19937_64 random(seed);
      std::vector<Tcb*> blocked, live;
      int left = 2000;
      std::function<void()> body = [&] {
        const std::uint64_t fill = random();
        char bytes[2000];
        fill_bytes(bytes, sizeof bytes, fill);
        Tcb* me = self();
        live.push_back(me);
        for (std::uint64_t steps = random() % 30; steps > 0; --steps) {
          errno = static_cast<int>(fill % 1000);
          switch (random() % 8) {
            case 0:
              scheduler().sleep_until(now_ns() + static_cast<std::int64_t>(random() % 100'000));
              break;
            case 1:
              blocked.push_back(me);
              scheduler().block_until("wake", nullptr, now_ns() + 2'000'000);
              std::erase(blocked, me);
              break;
            case 2:
              if (!blocked.empty()) {
                Tcb* t = blocked.back();
                blocked.pop_back();
                if (t->state == State::kBlocked) scheduler().make_ready(t);
              }
              break;
            case 3:
              scheduler().ask_to_move(live[random() % live.size()], static_cast<int>(random() % 5));
              break;
            case 4:
              try {
                throw fill;
              } catch (std::uint64_t value) {
                yield();
                ASSERT_EQ(value, fill);
              }
              break;
            case 5:
              if (left > 0) {
                --left;
                threads.spawn(body);
              }
              break;
            default:
              yield();
          }
          ASSERT_TRUE(holds_bytes(bytes, sizeof bytes, fill));
          ASSERT_EQ(self(), me);
        }
        std::erase(live, me);
        if (random() % 4 == 0) throw fill;
      };
      for (int i = 0; i < 100; ++i) threads.spawn(body);
      threads.run();
      EXPECT_TRUE(live.empty());
      EXPECT_EQ(scheduler().ready_count(), 0u);
      EXPECT_FALSE(scheduler().has_sleepers());
    }
  }
}

}  // namespace
}  // namespace roam::threads
