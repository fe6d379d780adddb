#include <gtest/gtest.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <semaphore>
#include <set>
#include <shared_mutex>
#include <stdexcept>
#include <thread>

#include "roam/sync.h"
#include "threads/test_threads.h"

// Of ThreadSanitizer: one test gives up a mutex that another thread holds, and is refused.
extern "C" __attribute__((visibility("default"))) const char* __tsan_default_suppressions() {
  return "mutex:unlock_mutex";
}

namespace roam::threads {
namespace {

using std::chrono::milliseconds;

// Four threads, one inside at a time, also where it lets others run inside.
template <class Lock>
void expect_exclusive() {
  TestThreads threads;
  Lock lock;
  int inside = 0, most = 0, done = 0;
  for (int i = 0; i < 4; ++i) {
    threads.spawn([&] {
      std::lock_guard guard(lock);
      most = std::max(most, ++inside);
      for (int k = 0; k < 40; ++k) yield();
      --inside;
      ++done;
    });
  }
  threads.run();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(done, 4);
}

TEST(WaitCalls, OneThreadAtATimeHoldsAMutexOfAnyKind) {
  expect_exclusive<std::mutex>();
  expect_exclusive<std::timed_mutex>();
  expect_exclusive<std::recursive_mutex>();
  expect_exclusive<std::shared_mutex>();
}

// Stacks are used again; a mutex on one is made anew by who is there next.
TEST(WaitCalls, AMutexThatEndedWithItsThreadsStackIsForgotten) {
  for (const int type : {PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK}) {
    std::set<const void*> places;
    int reused = 0;
    for (int i = 0; i < 8; ++i) {
      TestThreads threads;
      threads.spawn([&] {
        pthread_mutexattr_t kind;
        pthread_mutexattr_init(&kind);
        pthread_mutexattr_settype(&kind, type);
        pthread_mutex_t mutex;
        EXPECT_EQ(pthread_mutex_init(&mutex, &kind), 0);
        EXPECT_EQ(pthread_mutex_trylock(&mutex), 0);
        reused += !places.insert(&mutex).second;
      });
      threads.run();
    }
    EXPECT_GT(reused, 0);
  }
}

TEST(WaitCalls, WhoEndsHoldingALockLeavesItTakenAndHoldsItNoMore) {
  static std::mutex mutex;  // nothing else comes to lie where they were
  static std::shared_mutex shared;
  TestThreads threads;
  threads.spawn([&] {
    mutex.lock();
    shared.lock_shared();
  });
  threads.spawn([&] {
    EXPECT_FALSE(mutex.try_lock());
    EXPECT_FALSE(shared.try_lock());
  });
  threads.run();
  EXPECT_FALSE(mutex.try_lock());
  mutex.unlock();
  shared.unlock_shared();
}

TEST(WaitCalls, TheOwnerOfAMutexIsTheThread) {
  TestThreads threads;
  pthread_mutexattr_t kind;
  pthread_mutexattr_init(&kind);
  pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_t mutex;
  pthread_mutex_init(&mutex, &kind);
  threads.spawn([&] {
    EXPECT_EQ(pthread_mutex_lock(&mutex), 0);
    EXPECT_EQ(pthread_mutex_lock(&mutex), EDEADLK);
    yield();
    EXPECT_EQ(pthread_mutex_unlock(&mutex), 0);
    EXPECT_EQ(scheduler().current()->locks, 0);
  });
  threads.spawn([&] {
    EXPECT_EQ(pthread_mutex_trylock(&mutex), EBUSY);
    EXPECT_EQ(pthread_mutex_unlock(&mutex), EPERM);
  });
  threads.run();
  std::recursive_mutex twice;
  threads.spawn([&] {
    std::lock_guard one(twice);
    std::lock_guard two(twice);
    EXPECT_FALSE(Scheduler::may_move(scheduler().current()));
  });
  threads.run();
  EXPECT_EQ(pthread_mutex_destroy(&mutex), 0);
}

TEST(WaitCalls, WhatIsHeldPinsButForAPlainMutexInTheThreadsOwnMemory) {
  TestThreads threads;
  std::mutex outside;
  std::shared_mutex shared;
  threads.spawn([&] {
    Tcb* self = scheduler().current();
    std::mutex own;
    own.lock();
    EXPECT_TRUE(Scheduler::may_move(self));
    own.unlock();
    outside.lock();
    EXPECT_FALSE(Scheduler::may_move(self));
    outside.unlock();
    EXPECT_TRUE(Scheduler::may_move(self));
    shared.lock_shared();
    EXPECT_FALSE(Scheduler::may_move(self));
    shared.unlock_shared();
    EXPECT_TRUE(Scheduler::may_move(self));
  });
  threads.run();
}

// A mutex of the process that another kernel thread holds until others have had every chance to
// run.
class HeldElsewhere {
 public:
  HeldElsewhere() {
    while (!taken_) std::this_thread::yield();
  }
  ~HeldElsewhere() { other_.join(); }
  std::mutex& mutex() { return *mutex_; }

 private:
  std::unique_ptr<std::mutex> mutex_ = std::make_unique<std::mutex>();
  std::atomic<bool> taken_ = false;
  std::thread other_{[this] {
    std::lock_guard guard(*mutex_);
    taken_ = true;
    std::this_thread::sleep_for(milliseconds(30));
  }};
};

// The scheduler and MPI run there, in the middle of what must not be entered again.
// glibc lets a plain mutex be used like that.
TEST(WaitCalls, APlainMutexThatAnotherThreadUnlocksHoldsNobody) {
  TestThreads threads;
  threads.spawn([&] {
    static std::mutex mutex;
    Tcb* const holder = scheduler().current();
    mutex.lock();
    EXPECT_EQ(holder->locks, 1);
    bool over = false;
    threads.spawn([&] {
      mutex.unlock();
      EXPECT_TRUE(Scheduler::may_move(scheduler().current()));
      mutex.lock();
      EXPECT_EQ(scheduler().current()->locks, 1);
      mutex.unlock();
      over = true;
    });
    while (!over) scheduler().yield();
    EXPECT_EQ(holder->locks, 0);
    EXPECT_TRUE(Scheduler::may_move(holder));
  });
  threads.run();
}

TEST(WaitCalls, NobodyRunsWhileTheRanksStackWaits) {
  TestThreads threads;
  HeldElsewhere held;
  bool waits = false, ran = false;
  threads.spawn([&] {
    waits = true;
    on_rank_stack([&] {
      held.mutex().lock();
      held.mutex().unlock();
    });
    waits = false;
    EXPECT_EQ(scheduler().current()->locks, 0);
  });
  threads.spawn([&] { ran = waits; });
  threads.run();
  EXPECT_FALSE(ran);
}

TEST(WaitCalls, NobodyRunsWhileALibraryOfTheProcessWaitsForItsOwnKernelThread) {
  TestThreads threads;
  HeldElsewhere held;
  bool waits = false, ran = false;
  threads.spawn([&] {
    iso::HeapScope process;
    waits = true;
    held.mutex().lock();
    waits = false;
    EXPECT_EQ(scheduler().current()->locks, 1);
    held.mutex().unlock();
    EXPECT_EQ(scheduler().current()->locks, 0);
  });
  threads.spawn([&] { ran = waits; });
  threads.run();
  EXPECT_FALSE(ran);
}

TEST(WaitCalls, WhatAThreadHoldsIsNotWaitedForInVainWithTheCaptureOff) {
  TestThreads threads;
  const auto mutex = std::make_unique<std::mutex>();
  const auto shared = std::make_unique<std::shared_mutex>();
  const auto flag = std::make_unique<std::once_flag>();
  int made = 0, had = 0;
  const auto hold = [&] {
    std::lock_guard one(*mutex);
    std::lock_guard two(*shared);
    std::call_once(*flag, [&] {
      for (int k = 0; k < 40; ++k) yield();
      ++made;
    });
    for (int k = 0; k < 40; ++k) yield();
    ++had;
  };
  threads.spawn(hold);
  for (int i = 0; i < 2; ++i) {
    threads.spawn([&] {
      iso::HeapScope process;
      std::call_once(*flag, [&] { ++made; });
      hold();
    });
  }
  threads.run();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(had, 3);
}

// Taken on one side of a SystemHeap and given back on the other.
TEST(WaitCalls, WhatIsHeldIsCountedWhateverTheCapture) {
  TestThreads threads;
  const auto mutex = std::make_unique<std::mutex>();
  threads.spawn([&] {
    const Tcb* self = scheduler().current();
    {
      iso::HeapScope process;
      mutex->lock();
    }
    EXPECT_FALSE(Scheduler::may_move(self));
    mutex->unlock();
    EXPECT_TRUE(Scheduler::may_move(self));
    mutex->lock();
    {
      iso::HeapScope process;
      mutex->unlock();
    }
    EXPECT_TRUE(Scheduler::may_move(self));
  });
  threads.run();
}

// UCX takes locks in hooks that run in the middle of malloc. So taking one allocates nothing; and
// where more are held than are kept count of, it is refused.
TEST(WaitCalls, TakingLocksAllocatesNothingAndTooManyAreRefused) {
  TestThreads threads;
  constexpr std::size_t kMany = 5000;
  const auto mutexes = std::make_unique<pthread_mutex_t[]>(kMany);
  const auto shared = std::make_unique<pthread_rwlock_t[]>(kMany);
  for (std::size_t i = 0; i < kMany; ++i) {
    pthread_mutex_init(&mutexes[i], nullptr);
    pthread_rwlock_init(&shared[i], nullptr);
  }
  threads.spawn([&] {
    const auto in_use = [] { return mallinfo2().uordblks; };
    for (const bool capture : {true, false}) {
      iso::HeapScope scope(capture ? iso::current_heap : nullptr);
      const auto before = in_use();
      std::size_t taken = 0, refused = 0;
      for (std::size_t i = 0; i < kMany; ++i) {
        const int result =
            i % 2 == 0 ? pthread_mutex_trylock(&mutexes[i]) : pthread_rwlock_trywrlock(&shared[i]);
        if (result == 0) ++taken;
        if (result == EAGAIN) ++refused;
        if (result != 0) break;
      }
      const auto after = in_use();
      EXPECT_EQ(after, before);
      EXPECT_GT(taken, 1000u);
      EXPECT_EQ(refused, 1u);
      EXPECT_EQ(static_cast<std::size_t>(scheduler().current()->locks), taken);
      for (std::size_t i = 0; i < taken; ++i) {
        EXPECT_EQ(
            i % 2 == 0 ? pthread_mutex_unlock(&mutexes[i]) : pthread_rwlock_unlock(&shared[i]), 0);
      }
      EXPECT_EQ(scheduler().current()->locks, 0);
      // What was refused is free.
      EXPECT_EQ(pthread_mutex_trylock(&mutexes[taken]), 0);
      pthread_mutex_unlock(&mutexes[taken]);
    }
  });
  threads.run();
}

TEST(WaitCalls, CallOnceIsMadeOnceAndAfterAFailureByTheNext) {
  TestThreads threads;
  std::once_flag flag;
  int made = 0, failed = 0, seen = 0;
  for (int i = 0; i < 4; ++i) {
    threads.spawn([&, i] {
      try {
        std::call_once(flag, [&, i] {
          for (int k = 0; k < 50; ++k) yield();
          if (i == 0) throw std::runtime_error("the first fails");
          EXPECT_EQ(i, 1 + made) << "each calls what it gave";
          ++made;
        });
        seen += made;
      } catch (const std::runtime_error&) {
        ++failed;
      }
    });
  }
  threads.run();
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(made, 1);
  EXPECT_EQ(seen, 3);
}

TEST(WaitCalls, AConditionVariableWakesThoseThatWait) {
  TestThreads threads;
  std::mutex mutex;
  std::condition_variable changed;
  int tickets = 0, taken = 0;
  for (int i = 0; i < 3; ++i) {
    threads.spawn([&] {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return tickets > 0; });
      --tickets;
      ++taken;
    });
  }
  threads.spawn([&] {
    for (int i = 0; i < 3; ++i) {
      yield();
      std::lock_guard guard(mutex);
      ++tickets;
      changed.notify_one();
    }
  });
  threads.spawn([&] {
    std::mutex other;
    std::unique_lock lock(other);
    std::condition_variable never;
    EXPECT_EQ(never.wait_for(lock, milliseconds(1)), std::cv_status::timeout);
  });
  threads.run();
  EXPECT_EQ(taken, 3);
}

TEST(WaitCalls, AnotherKernelThreadReleasesAndNotifies) {
  TestThreads threads;
  std::mutex mutex;
  std::condition_variable changed;
  bool ready = false;
  std::thread other;
  threads.spawn([&] {
    std::unique_lock lock(mutex);
    other = std::thread([&] {
      std::lock_guard guard(mutex);
      ready = true;
      changed.notify_all();
    });
    changed.wait(lock, [&] { return ready; });
  });
  threads.run();
  other.join();
  EXPECT_TRUE(ready);
}

TEST(WaitCalls, SemaphoresAndAtomicsLetOthersRun) {
  TestThreads threads;
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  std::counting_semaphore<> counting(0);
  std::atomic<int> word = 0;
  int passed = 0;
  threads.spawn([&] {
    EXPECT_EQ(sem_wait(&semaphore), 0);
    counting.acquire();
    word.wait(0);
    ++passed;
  });
  threads.spawn([&] {
    EXPECT_FALSE(counting.try_acquire_for(milliseconds(1)));
    sem_post(&semaphore);
    yield();
    counting.release();
    yield();
    word = 1;
    word.notify_all();
  });
  threads.run();
  EXPECT_EQ(passed, 1);
  sem_destroy(&semaphore);
}

TEST(WaitCalls, ATimeThatIsOverEndsAWait) {
  TestThreads threads;
  std::timed_mutex mutex;
  threads.spawn([&] {
    std::lock_guard guard(mutex);
    for (int i = 0; i < 1000; ++i) scheduler().sleep_until(now_ns() + 20'000);
  });
  threads.spawn([&] { EXPECT_FALSE(mutex.try_lock_for(milliseconds(2))); });
  threads.run();
}

TEST(AskedInVain, LetsOthersRun) {
  TestThreads threads;
  Mutex mutex;
  Channel<int> channel;
  Latch latch(1);
  Promise<int> promise;
  Future<int> future = promise.get_future();
  threads.spawn([&] {
    while (!mutex.try_lock()) {
    }
    mutex.unlock();
    while (!channel.try_recv()) {
    }
    while (!latch.try_wait()) {
    }
    while (future.wait_for(milliseconds(0)) != std::future_status::ready) {
    }
  });
  threads.spawn([&] {
    mutex.lock();
    yield();
    mutex.unlock();
    channel.send(1);
    yield();
    latch.count_down();
    yield();
    promise.set_value(1);
  });
  threads.run();
}

TEST(AskedInVain, TimesThatCannotBeCountedAreForEver) {
  using std::chrono::hours;
  using std::chrono::steady_clock;
  using std::chrono::system_clock;
  const std::int64_t year_ns = std::int64_t{365} * 24 * 3600 * 1'000'000'000;
  EXPECT_GT(detail::deadline_in(hours::max()), year_ns);
  const std::int64_t before = detail::deadline_in(hours::min());
  EXPECT_LE(before, now_ns());
  EXPECT_GT(detail::deadline_at(steady_clock::time_point::max()), year_ns);
  const std::int64_t first = detail::deadline_at(system_clock::time_point::min());
  EXPECT_LE(first, now_ns());
  const auto far = std::chrono::time_point<system_clock, hours>::max();
  EXPECT_GT(detail::deadline_at(far), year_ns);
}

}  // namespace
}  // namespace roam::threads
