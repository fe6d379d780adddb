#include "roam/sync.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/test_bytes.h"
#include "threads/test_threads.h"

namespace roam::threads {
namespace {

using namespace std::chrono_literals;

void yield() { scheduler().yield(); }
Tcb* self() { return scheduler().current(); }

template <class F>
void expect_refused(Errc code, F f) {
  try {
    f();
    ADD_FAILURE() << "was accepted, not refused with " << to_string(code);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
  }
}

// ---- Mutex ----

TEST(Mutex, OneThreadAtATimeHoldsIt) {
  TestThreads threads;
  Mutex mutex;
  int inside = 0, rounds = 0;
  for (int i = 0; i < 20; ++i) {
    threads.spawn([&] {
      for (int round = 0; round < 20; ++round) {
        std::lock_guard lock(mutex);
        EXPECT_EQ(++inside, 1);
        yield();
        EXPECT_EQ(--inside, 0);
        ++rounds;
      }
    });
  }
  threads.run();
  EXPECT_EQ(rounds, 400);
}

TEST(Mutex, WhoWasWokenAndCameTooLateGetsItTheNextTime) {
  TestThreads threads;
  Mutex mutex;
  std::vector<int> order;
  threads.spawn([&] {
    mutex.lock();
    for (int i = 0; i < 5; ++i) yield();
    mutex.unlock();  // wakes the first waiter
    mutex.lock();    // comes before it
    order.push_back(99);
    for (int i = 0; i < 5; ++i) yield();
    mutex.unlock();
    EXPECT_FALSE(mutex.try_lock()) << "it is the first waiter's already";
    mutex.lock();
    order.push_back(100);
    mutex.unlock();
  });
  for (int i = 0; i < 5; ++i) {
    threads.spawn([&, i] {
      std::lock_guard lock(mutex);
      order.push_back(i);
    });
  }
  threads.run();
  ASSERT_EQ(order.size(), 7u);
  EXPECT_EQ(order[0], 99);
  EXPECT_EQ(order[1], 0);
  order.erase(std::find(order.begin(), order.end(), 100));
  EXPECT_EQ(order, (std::vector<int>{99, 0, 1, 2, 3, 4}));
}

TEST(Mutex, TryLockNeverWaits) {
  TestThreads threads;
  Mutex mutex;
  threads.spawn([&] {
    EXPECT_TRUE(mutex.try_lock());
    EXPECT_FALSE(mutex.try_lock());
    yield();
    mutex.unlock();
  });
  threads.spawn([&] {
    EXPECT_FALSE(mutex.try_lock());
    yield();
    yield();
    std::unique_lock lock(mutex, std::try_to_lock);
    EXPECT_TRUE(lock.owns_lock());
  });
  threads.run();
}

// std::lock takes one, tries the other, and starts again at that one: which never ends if each
// unlock hands its lock to another thread that does the same. In a child, which ends if there is no
// progress.
TEST(MutexDeathTest, SeveralAreTakenTogetherWithoutDeadlockOrEndlessRetries) {
  const auto run = [] {
    TestThreads threads;
    Mutex a, b;
    int rounds = 0;
    threads.on_poll = [&] {
      if (threads.polls > 10'000) _exit(rounds < 200 ? 1 : 2);
    };
    for (int i = 0; i < 10; ++i) {
      threads.spawn([&, i] {
        for (int round = 0; round < 20; ++round) {
          std::scoped_lock lock(i % 2 ? a : b, i % 2 ? b : a);
          yield();
          ++rounds;
        }
      });
    }
    threads.run();
    _exit(rounds == 200 ? 0 : 3);
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(0), "");
}

TEST(Mutex, ASecondLockByItsHolderIsRefusedAndItIsStillHeld) {
  TestThreads threads;
  Mutex mutex;
  threads.spawn([&] {
    mutex.lock();
    expect_refused(Errc::would_deadlock, [&] { mutex.lock(); });
    EXPECT_FALSE(mutex.try_lock());
    mutex.unlock();
    EXPECT_TRUE(mutex.try_lock());
    mutex.unlock();
  });
  threads.run();
}

TEST(Mutex, PlainCodeCannotHoldIt) {
  TestThreads threads;
  Mutex mutex;
  expect_refused(Errc::not_in_thread, [&] { mutex.lock(); });
  expect_refused(Errc::not_in_thread, [&] { mutex.try_lock(); });
}

TEST(MutexDeathTest, UnlockByWhoDoesNotHoldItNamesTheHolder) {
  TestThreads threads;
  Mutex mutex;
  EXPECT_EXIT(mutex.unlock(), testing::ExitedWithCode(1), "nobody does");
  threads.spawn(
      [&] {
        mutex.lock();
        yield();
        mutex.unlock();
      },
      "the holder");
  threads.spawn([&] { EXPECT_EXIT(mutex.unlock(), testing::ExitedWithCode(1), "the holder"); });
  threads.run();
}

TEST(MutexDeathTest, AMutexThatIsHeldMustNotEnd) {
  TestThreads threads;
  threads.spawn([&] {
    Mutex mutex;
    mutex.lock();
    EXPECT_EXIT(mutex.~Mutex(), testing::ExitedWithCode(1), "destroyed");
    mutex.unlock();
  });
  threads.run();
}

TEST(Mutex, ItsHolderIsPinnedAndGoesWhenItUnlocks) {
  TestThreads threads;
  Mutex mutex;
  Tcb* holder = threads.spawn([&] {
    {
      std::lock_guard lock(mutex);
      EXPECT_FALSE(Scheduler::may_move(self()));
      yield();
      yield();
      EXPECT_TRUE(threads.departures.empty());
    }
    EXPECT_TRUE(Scheduler::may_move(self()));
    yield();
    EXPECT_EQ(threads.departures.size(), 1u);
  });
  threads.spawn([&] { scheduler().ask_to_move(holder, 5); });
  threads.run();
  EXPECT_EQ(threads.departures.size(), 1u);
}

// ---- ConditionVariable ----

TEST(ConditionVariable, WakesOneAtATimeInOrderOrAll) {
  TestThreads threads;
  Mutex mutex;
  ConditionVariable condition;
  std::vector<int> woken;
  for (int i = 0; i < 6; ++i) {
    threads.spawn([&, i] {
      std::unique_lock lock(mutex);
      condition.wait(lock);
      EXPECT_TRUE(lock.owns_lock());
      EXPECT_FALSE(mutex.try_lock()) << "the lock is held again";
      woken.push_back(i);
    });
  }
  threads.spawn([&] {
    EXPECT_TRUE(woken.empty());
    condition.notify_one();
    yield();
    yield();
    EXPECT_EQ(woken, (std::vector<int>{0}));
    condition.notify_one();
    yield();
    yield();
    EXPECT_EQ(woken, (std::vector<int>{0, 1}));
    condition.notify_all();
  });
  threads.run();
  EXPECT_EQ(woken, (std::vector<int>{0, 1, 2, 3, 4, 5}));
  condition.notify_all();  // nobody waits
}

TEST(ConditionVariable, APredicateIsLookedAtUntilItHolds) {
  TestThreads threads;
  Mutex mutex;
  ConditionVariable condition;
  int value = 0, looks = 0;
  threads.spawn([&] {
    std::unique_lock lock(mutex);
    condition.wait(lock, [&] {
      ++looks;
      return value == 3;
    });
    EXPECT_EQ(value, 3);
    condition.wait(lock, [] { return true; });  // does not wait
  });
  threads.spawn([&] {
    for (int i = 1; i <= 3; ++i) {
      {
        std::lock_guard lock(mutex);
        value = i;
      }
      condition.notify_all();
      yield();
      yield();
    }
  });
  threads.run();
  EXPECT_EQ(looks, 4);
}

TEST(ConditionVariable, TimedWaitsEndWithTheLockHeldWhicheverComesFirst) {
  TestThreads threads;
  Mutex mutex;
  ConditionVariable condition;
  bool flag = false;
  threads.spawn([&] {
    std::unique_lock lock(mutex);
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(condition.wait_for(lock, 2ms), std::cv_status::timeout);
    EXPECT_GE(std::chrono::steady_clock::now() - before, 2ms);
    EXPECT_TRUE(lock.owns_lock());
    EXPECT_EQ(condition.wait_until(lock, std::chrono::steady_clock::now() + 1ms),
              std::cv_status::timeout);
    EXPECT_EQ(condition.wait_until(lock, std::chrono::system_clock::now() + 1ms),
              std::cv_status::timeout);
    EXPECT_EQ(condition.wait_for(lock, -1s), std::cv_status::timeout);
    EXPECT_FALSE(condition.wait_for(lock, 1ms, [&] { return flag; }));
    EXPECT_TRUE(condition.wait_for(lock, 1ms, [] { return true; }));
  });
  threads.run();
  threads.spawn([&] {
    std::unique_lock lock(mutex);
    EXPECT_EQ(condition.wait_for(lock, 1h), std::cv_status::no_timeout);
    EXPECT_TRUE(condition.wait_for(lock, 1h, [&] { return flag; }));
    EXPECT_FALSE(scheduler().has_sleepers());
  });
  threads.spawn([&] {
    condition.notify_one();
    yield();
    yield();
    flag = true;
    condition.notify_one();
  });
  threads.run();
}

// In a child, since it waited for centuries once.
TEST(ConditionVariableDeathTest, ATimeLongPastOrFarAheadDoesNotOverflow) {
  const auto run = [] {
    alarm(10);
    TestThreads threads;
    Mutex mutex;
    ConditionVariable condition;
    bool timed_out = false, woken = false;
    threads.spawn([&] {
      std::unique_lock lock(mutex);
      timed_out = condition.wait_until(lock, std::chrono::steady_clock::time_point::min()) ==
                  std::cv_status::timeout;
      woken = condition.wait_for(lock, std::chrono::hours::max()) == std::cv_status::no_timeout;
    });
    threads.spawn([&] {
      scheduler().sleep_until(now_ns() + 2'000'000);
      condition.notify_all();
    });
    threads.run();
    _exit(timed_out && woken ? 0 : 1);
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(0), "");
}

TEST(ConditionVariable, ItsTimeMayRunOutWhileTheLockIsElsewhere) {
  TestThreads threads;
  Mutex mutex;
  ConditionVariable condition;
  bool released = false;
  threads.spawn([&] {
    std::unique_lock lock(mutex);
    EXPECT_EQ(condition.wait_for(lock, 1ms), std::cv_status::timeout);
    EXPECT_TRUE(released) << "it had to wait for the lock";
  });
  threads.spawn([&] {
    std::lock_guard lock(mutex);
    scheduler().sleep_until(now_ns() + 3'000'000);
    released = true;
  });
  threads.run();
}

TEST(ConditionVariable, PlainCodeCannotWaitAndKeepsItsLock) {
  TestThreads threads;
  struct Plain {
    void lock() { ++held; }
    void unlock() { --held; }
    int held = 1;
  } lock;
  ConditionVariable condition;
  expect_refused(Errc::not_in_thread, [&] { condition.wait(lock); });
  EXPECT_EQ(lock.held, 1);
  expect_refused(Errc::not_in_thread, [&] { condition.wait_for(lock, 1ms); });
  EXPECT_EQ(lock.held, 1);
  condition.notify_one();
}

// ---- Latch ----

TEST(Latch, OpensWhenItHasBeenCountedDown) {
  TestThreads threads;
  Latch latch(3);
  int passed = 0;
  for (int i = 0; i < 4; ++i) {
    threads.spawn([&] {
      latch.wait();
      ++passed;
    });
  }
  threads.spawn([&] {
    yield();
    EXPECT_FALSE(latch.try_wait());
    latch.count_down(2);
    latch.count_down(0);
    yield();
    EXPECT_EQ(passed, 0);
    latch.arrive_and_wait();
    EXPECT_TRUE(latch.try_wait());
    latch.wait();
  });
  threads.run();
  EXPECT_EQ(passed, 4);
  latch.wait();  // open: nobody waits, so plain code may
}

TEST(Latch, MisuseIsRefusedAndChangesNothing) {
  TestThreads threads;
  EXPECT_THROW(Latch(-1), std::invalid_argument);
  EXPECT_TRUE(Latch(0).try_wait());
  Latch latch(2);
  EXPECT_THROW(latch.count_down(3), std::invalid_argument);
  EXPECT_THROW(latch.count_down(-1), std::invalid_argument);
  expect_refused(Errc::not_in_thread, [&] { latch.wait(); });
  latch.count_down(2);
  EXPECT_TRUE(latch.try_wait());
  EXPECT_THROW(latch.count_down(), std::invalid_argument);
}

// ---- Barrier ----

TEST(Barrier, NobodyPassesBeforeAllHaveComeInEachPhase) {
  TestThreads threads;
  constexpr int kThreads = 7, kPhases = 20;
  int completions = 0;
  std::vector<int> arrived(kPhases);
  Barrier barrier(kThreads, [&] {
    EXPECT_EQ(arrived[static_cast<std::size_t>(completions)], kThreads);
    ++completions;
  });
  std::mt19937_64 random(test_seed());
  for (int i = 0; i < kThreads; ++i) {
    threads.spawn([&] {
      for (int phase = 0; phase < kPhases; ++phase) {
        for (std::uint64_t n = random() % 4; n > 0; --n) yield();
        ++arrived[static_cast<std::size_t>(phase)];
        barrier.arrive_and_wait();
        EXPECT_EQ(arrived[static_cast<std::size_t>(phase)], kThreads);
        EXPECT_GE(completions, phase + 1);
      }
    });
  }
  threads.run();
  EXPECT_EQ(completions, kPhases);
}

TEST(Barrier, WhoDropsOutIsNotWaitedForAgain) {
  TestThreads threads;
  Barrier barrier(3);
  int phases = 0;
  threads.spawn([&] { barrier.arrive_and_drop(); });
  for (int i = 0; i < 2; ++i) {
    threads.spawn([&, i] {
      for (int phase = 0; phase < 5; ++phase) {
        barrier.arrive_and_wait();
        phases += i == 0;
      }
    });
  }
  threads.run();
  EXPECT_EQ(phases, 5);
}

TEST(Barrier, ArrivingAndWaitingMayBeApartAndForSeveral) {
  TestThreads threads;
  Barrier barrier(3);
  threads.spawn([&] {
    const Barrier::arrival_token first = barrier.arrive(2);
    yield();
    barrier.wait(first);
    static_cast<void>(barrier.arrive(3));
    barrier.wait(first);  // long past
  });
  threads.spawn([&] { barrier.arrive_and_wait(); });
  threads.run();
}

TEST(Barrier, MisuseIsRefusedAndChangesNothing) {
  TestThreads threads;
  EXPECT_THROW(Barrier(-1), std::invalid_argument);
  Barrier barrier(2);
  EXPECT_THROW(static_cast<void>(barrier.arrive(3)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(barrier.arrive(0)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(barrier.arrive(-1)), std::invalid_argument);
  const Barrier::arrival_token phase = barrier.arrive();
  expect_refused(Errc::not_in_thread, [&] { barrier.wait(phase); });
  static_cast<void>(barrier.arrive());
  barrier.wait(phase);
  Barrier alone(1);
  alone.arrive_and_drop();
  EXPECT_THROW(alone.arrive_and_drop(), std::invalid_argument);
}

}  // namespace
}  // namespace roam::threads
