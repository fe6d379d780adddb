#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <thread>

#include "threads/test_threads.h"

namespace roam::threads {
namespace {

class Robust {
 public:
  explicit Robust(int type = PTHREAD_MUTEX_NORMAL, int shared = PTHREAD_PROCESS_PRIVATE) {
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, type);
    pthread_mutexattr_setpshared(&kind, shared);
    pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    EXPECT_EQ(pthread_mutex_init(&mutex_, &kind), 0);
  }
  pthread_mutex_t* get() { return &mutex_; }

 private:
  pthread_mutex_t mutex_;
};

// A thread that takes `m`, and ends.
void end_holding(pthread_mutex_t* m) {
  TestThreads threads;
  threads.spawn([&] { EXPECT_EQ(pthread_mutex_lock(m), 0); });
  threads.run();
}

TEST(RobustMutex, WhoTakesItAfterItsHolderEndedIsToldAndMakesItConsistent) {
  for (const int type : {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK}) {
    Robust robust(type);
    pthread_mutex_t* const m = robust.get();
    TestThreads threads;
    threads.spawn([&] {
      EXPECT_EQ(pthread_mutex_lock(m), 0);
      for (int i = 0; i < 40; ++i) yield();
    });
    int taken = 0;
    for (int i = 0; i < 3; ++i) {
      threads.spawn([&, i] {
        EXPECT_EQ(pthread_mutex_lock(m), i == 0 ? EOWNERDEAD : 0);
        if (i == 0) {
          EXPECT_EQ(pthread_mutex_consistent(m), 0);
        }
        ++taken;
        yield();
        EXPECT_EQ(pthread_mutex_unlock(m), 0);
      });
    }
    threads.run();
    EXPECT_EQ(taken, 3);
    EXPECT_EQ(pthread_mutex_destroy(m), 0);
  }
}

TEST(RobustMutex, WhatWasNotMadeConsistentCannotBeHadAgain) {
  Robust robust;
  pthread_mutex_t* const m = robust.get();
  end_holding(m);
  TestThreads threads;
  threads.spawn([&] {
    EXPECT_EQ(pthread_mutex_trylock(m), EOWNERDEAD);
    EXPECT_EQ(pthread_mutex_unlock(m), 0);
  });
  threads.spawn([&] {
    yield();
    EXPECT_EQ(pthread_mutex_lock(m), ENOTRECOVERABLE);
    EXPECT_EQ(pthread_mutex_trylock(m), ENOTRECOVERABLE);
  });
  threads.run();
}

TEST(RobustMutex, KernelThreadsAndPlainCodeAreToldToo) {
  Robust robust;
  pthread_mutex_t* const m = robust.get();
  end_holding(m);
  EXPECT_EQ(pthread_mutex_lock(m), EOWNERDEAD);
  EXPECT_EQ(pthread_mutex_consistent(m), 0);
  EXPECT_EQ(pthread_mutex_unlock(m), 0);
  TestThreads threads;
  std::thread waits;
  threads.spawn([&] {
    EXPECT_EQ(pthread_mutex_lock(m), 0);
    waits = std::thread([&] {
      EXPECT_EQ(pthread_mutex_lock(m), EOWNERDEAD);
      EXPECT_EQ(pthread_mutex_consistent(m), 0);
      EXPECT_EQ(pthread_mutex_unlock(m), 0);
    });
    scheduler().sleep_until(now_ns() + 5'000'000);  // it waits in the kernel
  });
  threads.run();
  waits.join();
}

TEST(RobustMutex, OtherProcessesAreToldToo) {
  void* room = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pthread_mutex_t* const m =
      (new (room) Robust(PTHREAD_MUTEX_NORMAL, PTHREAD_PROCESS_SHARED))->get();
  end_holding(m);
  const pid_t child = fork();
  if (child == 0) _exit(pthread_mutex_lock(m));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), EOWNERDEAD);
  TestThreads threads;
  threads.spawn([&] {
    EXPECT_EQ(pthread_mutex_lock(m), EOWNERDEAD) << "the child ended holding it";
    EXPECT_EQ(pthread_mutex_consistent(m), 0);
    EXPECT_EQ(pthread_mutex_unlock(m), 0);
  });
  threads.run();
  munmap(room, 4096);
}

// The list that libc keeps of them is whole after some of its middle went.
TEST(RobustMutex, ManyOfManyThreadsAreLeft) {
  constexpr int kMany = 12;
  Robust robust[kMany];
  TestThreads threads;
  for (int t = 0; t < 3; ++t) {
    threads.spawn([&, t] {
      for (int i = t; i < kMany; i += 3) {
        EXPECT_EQ(pthread_mutex_lock(robust[i].get()), 0);
        yield();
      }
      if (t == 1) return;
      for (int i = t; i < kMany; i += 3) EXPECT_EQ(pthread_mutex_unlock(robust[i].get()), 0);
    });
  }
  threads.run();
  threads.spawn([&] {
    for (int i = 0; i < kMany; ++i) {
      EXPECT_EQ(pthread_mutex_lock(robust[i].get()), i % 3 == 1 ? EOWNERDEAD : 0);
      if (i % 3 == 1) {
        EXPECT_EQ(pthread_mutex_consistent(robust[i].get()), 0);
      }
    }
    for (Robust& r : robust) EXPECT_EQ(pthread_mutex_unlock(r.get()), 0);
  });
  threads.run();
}

}  // namespace
}  // namespace roam::threads
