#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <ctime>
#include <memory>
#include <thread>

#include "threads/test_threads.h"

namespace roam::threads {
namespace {

pthread_barrier_t barrier_of(unsigned count, int shared = PTHREAD_PROCESS_PRIVATE) {
  pthread_barrierattr_t kind;
  pthread_barrierattr_init(&kind);
  pthread_barrierattr_setpshared(&kind, shared);
  pthread_barrier_t made;
  EXPECT_EQ(pthread_barrier_init(&made, &kind, count), 0);
  return made;
}

// Rounds of threads of the rank and `others` kernel threads: nobody is a round ahead, one of each
// round is its serial one.
void expect_rounds(int own, int others, int rounds) {
  TestThreads threads;
  pthread_barrier_t barrier = barrier_of(static_cast<unsigned>(own + others));
  std::atomic<int> arrived = 0, serial = 0, wrong = 0;
  const auto body = [&] {
    for (int round = 1; round <= rounds; ++round) {
      ++arrived;
      const int result = pthread_barrier_wait(&barrier);
      if (result == PTHREAD_BARRIER_SERIAL_THREAD) ++serial;
      if (result != 0 && result != PTHREAD_BARRIER_SERIAL_THREAD) ++wrong;
      if (arrived < round * (own + others)) ++wrong;
      pthread_barrier_wait(&barrier);
    }
  };
  for (int i = 0; i < own; ++i) threads.spawn(body);
  std::vector<std::thread> kernel_threads;
  for (int i = 0; i < others; ++i) kernel_threads.emplace_back(body);
  threads.run();
  for (std::thread& t : kernel_threads) t.join();
  EXPECT_EQ(serial, rounds);
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(pthread_barrier_destroy(&barrier), 0);
}

TEST(Barriers, ThreadsOfTheRankMeet) { expect_rounds(4, 0, 100); }
TEST(Barriers, ThreadsMeetKernelThreads) { expect_rounds(2, 2, 30); }
TEST(Barriers, OneAloneDoesNotWait) { expect_rounds(1, 0, 3); }

TEST(Barriers, WhoHasReturnedMayDestroyIt) {
  TestThreads threads;
  constexpr int kCount = 3;
  for (int round = 0; round < 20; ++round) {
    auto barrier = std::make_unique<pthread_barrier_t>(barrier_of(kCount));
    for (int i = 0; i < kCount; ++i) {
      threads.spawn([&] {
        if (pthread_barrier_wait(barrier.get()) != PTHREAD_BARRIER_SERIAL_THREAD) return;
        EXPECT_EQ(pthread_barrier_destroy(barrier.get()), 0);
        memset(barrier.get(), 0xee, sizeof *barrier);
      });
    }
    threads.run();
    for (std::size_t i = 0; i < sizeof *barrier; ++i)
      EXPECT_EQ(reinterpret_cast<unsigned char*>(barrier.get())[i], 0xee);
  }
}

// Its words count up to half of 2^32 places and begin anew: libc's layout, as it was found.
TEST(Barriers, CountsBeginAnew) {
  TestThreads threads;
  constexpr unsigned kCount = 3, kMost = 0x7fff'ffff - 0x7fff'ffff % kCount;
  pthread_barrier_t barrier = barrier_of(kCount);
  unsigned words[5];
  memcpy(words, &barrier, sizeof words);
  ASSERT_EQ(words[2], kCount);
  words[0] = words[1] = words[4] = kMost - 2 * kCount;
  memcpy(&barrier, words, sizeof words);
  std::atomic<int> serial = 0;
  const auto body = [&] {
    for (int round = 0; round < 5; ++round)
      if (pthread_barrier_wait(&barrier) != 0) ++serial;
  };
  threads.spawn(body);
  threads.spawn(body);
  std::thread other(body);
  threads.run();
  other.join();
  EXPECT_EQ(serial, 5);
  memcpy(words, &barrier, sizeof words);
  EXPECT_EQ(words[0], 3 * kCount);
  EXPECT_EQ(pthread_barrier_destroy(&barrier), 0);
}

TEST(Barriers, ThreadsMeetAnotherProcess) {
  void* room = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto& barrier = *new (room) pthread_barrier_t(barrier_of(2, PTHREAD_PROCESS_SHARED));
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    int serial = 0;
    for (int round = 0; round < 10; ++round) serial += pthread_barrier_wait(&barrier) != 0 ? 1 : 0;
    _exit(serial);
  }
  int serial = 0;
  {
    TestThreads threads;
    threads.spawn([&] {
      for (int round = 0; round < 10; ++round)
        serial += pthread_barrier_wait(&barrier) != 0 ? 1 : 0;
    });
    threads.run();
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(serial + WEXITSTATUS(status), 10);
  munmap(room, 4096);
}

TEST(SpinLocks, OneThreadAtATimeHoldsIt) {
  TestThreads threads;
  pthread_spinlock_t lock;
  pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE);
  int inside = 0, most = 0;
  const auto body = [&](bool tries) {
    if (tries) {
      while (pthread_spin_trylock(&lock) == EBUSY) {
      }
    } else {
      EXPECT_EQ(pthread_spin_lock(&lock), 0);
    }
    EXPECT_FALSE(Scheduler::may_move(scheduler().current()));
    most = std::max(most, ++inside);
    for (int k = 0; k < 40; ++k) yield();
    --inside;
    EXPECT_EQ(pthread_spin_unlock(&lock), 0);
    EXPECT_TRUE(Scheduler::may_move(scheduler().current()));
  };
  for (int i = 0; i < 4; ++i) threads.spawn([&, i] { body(i % 2 == 0); });
  threads.run();
  EXPECT_EQ(most, 1);
  pthread_spin_destroy(&lock);
}

TEST(SpinLocks, OneInTheThreadsOwnMemoryTravels) {
  TestThreads threads;
  threads.spawn([] {
    pthread_spinlock_t own;
    pthread_spin_init(&own, PTHREAD_PROCESS_PRIVATE);
    pthread_spin_lock(&own);
    EXPECT_TRUE(Scheduler::may_move(scheduler().current()));
    pthread_spin_unlock(&own);
  });
  threads.run();
}

// ---- C11 ----

TEST(LocksOfC11, OneThreadAtATimeHoldsAMutex) {
  TestThreads threads;
  for (const int kind : {int{mtx_plain}, int{mtx_timed}, mtx_plain | mtx_recursive}) {
    mtx_t mutex;
    ASSERT_EQ(mtx_init(&mutex, kind), thrd_success);
    int inside = 0, most = 0;
    for (int i = 0; i < 3; ++i) {
      threads.spawn([&] {
        EXPECT_EQ(mtx_lock(&mutex), thrd_success);
        most = std::max(most, ++inside);
        for (int k = 0; k < 40; ++k) yield();
        if ((kind & mtx_recursive) != 0) {
          EXPECT_EQ(mtx_lock(&mutex), thrd_success);
          yield();
          EXPECT_EQ(mtx_unlock(&mutex), thrd_success);
        }
        --inside;
        EXPECT_EQ(mtx_unlock(&mutex), thrd_success);
      });
    }
    threads.run();
    EXPECT_EQ(most, 1);
    mtx_destroy(&mutex);
  }
}

TEST(LocksOfC11, ATimeThatIsOverAndAnotherThatHoldsItAreTold) {
  TestThreads threads;
  mtx_t mutex;
  mtx_init(&mutex, mtx_timed);
  bool told = false;
  threads.spawn([&] {
    mtx_lock(&mutex);
    while (!told) yield();
    mtx_unlock(&mutex);
  });
  threads.spawn([&] {
    EXPECT_EQ(mtx_trylock(&mutex), thrd_busy);
    timespec now;
    timespec_get(&now, TIME_UTC);
    EXPECT_EQ(mtx_timedlock(&mutex, &now), thrd_timedout);
    told = true;
  });
  threads.run();
  mtx_destroy(&mutex);
}

TEST(LocksOfC11, AConditionWakesThoseThatWait) {
  TestThreads threads;
  mtx_t mutex;
  cnd_t changed;
  mtx_init(&mutex, mtx_plain);
  cnd_init(&changed);
  int tickets = 0, taken = 0;
  for (int i = 0; i < 3; ++i) {
    threads.spawn([&] {
      mtx_lock(&mutex);
      while (tickets == 0) EXPECT_EQ(cnd_wait(&changed, &mutex), thrd_success);
      --tickets;
      ++taken;
      mtx_unlock(&mutex);
    });
  }
  threads.spawn([&] {
    for (int i = 0; i < 3; ++i) {
      yield();
      mtx_lock(&mutex);
      ++tickets;
      if (i == 0) cnd_signal(&changed);
      if (i != 0) cnd_broadcast(&changed);
      mtx_unlock(&mutex);
    }
    mtx_lock(&mutex);
    timespec now;
    timespec_get(&now, TIME_UTC);
    EXPECT_EQ(cnd_timedwait(&changed, &mutex, &now), thrd_timedout);
    mtx_unlock(&mutex);
  });
  threads.run();
  EXPECT_EQ(taken, 3);
  cnd_destroy(&changed);
  mtx_destroy(&mutex);
}

once_flag flag_of_c11 = ONCE_FLAG_INIT;
int made_by_c11 = 0;
void make_slowly() {
  for (int k = 0; k < 40; ++k) yield();
  ++made_by_c11;
}

TEST(LocksOfC11, WhatIsMadeOnceIsWaitedFor) {
  TestThreads threads;
  for (int i = 0; i < 3; ++i) {
    threads.spawn([] {
      call_once(&flag_of_c11, make_slowly);
      EXPECT_EQ(made_by_c11, 1);
    });
  }
  threads.run();
}

}  // namespace
}  // namespace roam::threads
