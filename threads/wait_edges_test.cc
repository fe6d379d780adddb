// Waits at their edges: for what is in another thread's memory, for what other processes signal,
// for nothing, and for what is removed meanwhile.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "threads/test_threads.h"

// Signalled when somebody looks at the clock for the first time.
static pthread_cond_t* signalled_at_the_clock = nullptr;
extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
  if (clock == CLOCK_REALTIME && signalled_at_the_clock != nullptr)
    pthread_cond_signal(std::exchange(signalled_at_the_clock, nullptr));
  return static_cast<int>(syscall(SYS_clock_gettime, clock, now));
}

namespace roam::threads {
namespace {

// It has looked whether it was signalled, and looks then whether its time is over.
TEST(WaitEdges, ASignalAtTheEndOfTheTimeIsNoTimeOut) {
  TestThreads threads;
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  threads.spawn([] {
    pthread_mutex_lock(&mutex);
    const timespec past{1, 0};
    signalled_at_the_clock = &condition;
    EXPECT_EQ(pthread_cond_timedwait(&condition, &mutex, &past), 0);
    EXPECT_EQ(signalled_at_the_clock, nullptr);
    EXPECT_EQ(pthread_cond_timedwait(&condition, &mutex, &past), ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
  });
  threads.run();
}

// One thread `waits` for something in the memory of another, which `gives` it.
template <class Object>
void expect_tie(const std::function<void(Object&)>& waits,
                const std::function<void(Object&)>& gives) {
  TestThreads threads;
  Object* there = nullptr;
  bool passed = false;
  threads.spawn([&] {
    const Tcb* self = scheduler().current();
    Object own{};
    there = &own;
    EXPECT_TRUE(Scheduler::may_move(self));
    for (int i = 0; i < 10; ++i) yield();
    EXPECT_FALSE(Scheduler::may_move(self));
    EXPECT_EQ(self->tied, 1);
    gives(own);
    while (!passed) yield();
    EXPECT_TRUE(Scheduler::may_move(self));
    EXPECT_EQ(self->tied, 0);
  });
  threads.spawn([&] {
    while (there == nullptr) yield();
    waits(*there);
    passed = true;
  });
  threads.run();
  EXPECT_TRUE(threads.untied.empty());
}

TEST(WaitEdges, WhoHasTheMemoryStaysWhileOthersWaitThere) {
  expect_tie<sem_t>([](sem_t& s) { EXPECT_EQ(sem_wait(&s), 0); },
                    [](sem_t& s) { EXPECT_EQ(sem_post(&s), 0); });
  expect_tie<std::atomic<int>>([](std::atomic<int>& word) { word.wait(0); },
                               [](std::atomic<int>& word) {
                                 word = 1;
                                 word.notify_all();
                               });
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = false;
  };
  expect_tie<Gate>(
      [](Gate& gate) {
        std::unique_lock lock(gate.mutex);
        gate.changed.wait(lock, [&] { return gate.open; });
      },
      [](Gate& gate) {
        const std::lock_guard lock(gate.mutex);
        gate.open = true;
        gate.changed.notify_all();
      });
}

// Who holds it unlocks it where it is.
template <class Lock>
void expect_held_there() {
  TestThreads threads;
  threads.spawn([&] {
    Tcb* owner = scheduler().current();
    Lock own;
    bool over = false;
    threads.spawn([&] {
      {
        const std::lock_guard hold(own);
        for (int i = 0; i < 5; ++i) yield();
      }
      over = true;
      yield();
    });
    EXPECT_TRUE(Scheduler::may_move(owner));
    yield();
    EXPECT_FALSE(Scheduler::may_move(owner));
    {
      const std::lock_guard hold(own);
      EXPECT_TRUE(over || owner->tied == 0);
    }
    EXPECT_EQ(owner->tied, 0);
    EXPECT_EQ(owner->locks, 0);
  });
  threads.run();
}

TEST(WaitEdges, WhoHasTheMemoryStaysWhileAnotherHoldsALockThere) {
  expect_held_there<std::mutex>();
  expect_held_there<std::recursive_mutex>();
  expect_held_there<std::shared_mutex>();
}

TEST(WaitEdges, WhoHadTheMemoryMayEndBeforeTheWait) {
  TestThreads threads;
  sem_t* there = nullptr;
  threads.spawn([&] {
    sem_t own{};
    there = &own;
    for (int i = 0; i < 10; ++i) yield();
    sem_post(&own);
    yield();
  });
  threads.spawn([&] {
    while (there == nullptr) yield();
    sem_wait(there);
    for (int i = 0; i < 20; ++i) yield();
  });
  threads.run();
}

struct Shared {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  bool waits, ready;
};

TEST(WaitEdges, AnotherProcessSignalsACondition) {
  auto* shared = static_cast<Shared*>(
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(shared, MAP_FAILED);
  pthread_mutexattr_t mutex_kind;
  pthread_mutexattr_init(&mutex_kind);
  pthread_mutexattr_setpshared(&mutex_kind, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init(&shared->mutex, &mutex_kind);
  pthread_condattr_t kind;
  pthread_condattr_init(&kind);
  pthread_condattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
  pthread_cond_init(&shared->changed, &kind);
  const auto locked = [&](auto look) {
    pthread_mutex_lock(&shared->mutex);
    const bool result = look();
    pthread_mutex_unlock(&shared->mutex);
    return result;
  };
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    while (!locked([&] { return shared->waits; })) usleep(1000);
    locked([&] {
      shared->ready = true;
      return pthread_cond_signal(&shared->changed) == 0;
    });
    _exit(0);
  }
  TestThreads threads;
  threads.spawn([&] {
    pthread_mutex_lock(&shared->mutex);
    shared->waits = true;
    while (!shared->ready) EXPECT_EQ(pthread_cond_wait(&shared->changed, &shared->mutex), 0);
    pthread_mutex_unlock(&shared->mutex);
  });
  threads.run();
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  munmap(shared, sizeof *shared);
}

TEST(WaitEdges, WhoHoldsALockForWritingIsToldThatItDoes) {
  TestThreads threads;
  pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  bool had = false;
  threads.spawn([&] {
    EXPECT_EQ(pthread_rwlock_wrlock(&lock), 0);
    EXPECT_EQ(pthread_rwlock_wrlock(&lock), EDEADLK);
    EXPECT_EQ(pthread_rwlock_rdlock(&lock), EDEADLK);
    EXPECT_EQ(pthread_rwlock_tryrdlock(&lock), EBUSY);
    for (int i = 0; i < 10; ++i) yield();
    EXPECT_FALSE(had);
    EXPECT_EQ(pthread_rwlock_unlock(&lock), 0);
  });
  threads.spawn([&] {
    EXPECT_EQ(pthread_rwlock_wrlock(&lock), 0) << "another's is waited for";
    had = true;
    EXPECT_EQ(pthread_rwlock_unlock(&lock), 0);
  });
  threads.run();
}

// A set of as many descriptors as the kernel has room for ends where the memory ends.
TEST(WaitEdges, SelectTouchesNoMoreOfASetThanTheKernelDoes) {
  const std::size_t page = kPageBytes;
  char* at = static_cast<char*>(
      mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(at, MAP_FAILED);
  ASSERT_EQ(mprotect(at + page, page, PROT_NONE), 0);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  auto* set = reinterpret_cast<fd_set*>(at + page - sizeof(fd_set));
  TestThreads threads;
  for (const int count : {ends[0] + 1, 1 << 20, INT_MAX, INT_MAX - 62}) {
    threads.spawn([&, count] {
      FD_ZERO(set);
      FD_SET(ends[0], set);
      EXPECT_EQ(select(count, set, nullptr, nullptr, nullptr), 1);
      EXPECT_TRUE(FD_ISSET(ends[0], set));
      const timespec soon{1, 0};
      EXPECT_EQ(pselect(count, set, nullptr, nullptr, &soon, nullptr), 1);
      char byte;
      EXPECT_EQ(read(ends[0], &byte, 1), 1);
    });
    threads.spawn([&] {
      for (int i = 0; i < 10; ++i) yield();
      EXPECT_EQ(write(ends[1], "x", 1), 1);
    });
    threads.run();
  }
  close(ends[0]);
  close(ends[1]);
  munmap(at, 2 * page);
}

TEST(WaitEdges, SelectLeavesAloneWhatLiesBehindASet) {
  static struct {
    fd_set set;
    std::atomic<long> behind[1024];
  } both;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  TestThreads threads;
  threads.spawn([&] {
    FD_ZERO(&both.set);
    FD_SET(ends[0], &both.set);
    EXPECT_EQ(select(1 << 16, &both.set, nullptr, nullptr, nullptr), 1);
    for (const auto& word : both.behind) EXPECT_EQ(word, 5);
  });
  threads.spawn([&] {
    for (int i = 0; i < 10; ++i) yield();
    for (auto& word : both.behind) word = 5;
    for (int i = 0; i < 10; ++i) yield();
    EXPECT_EQ(write(ends[1], "x", 1), 1);
  });
  threads.run();
  close(ends[0]);
  close(ends[1]);
}

TEST(WaitEdges, ForNothingNobodyWaits) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
  char full[4096] = {};
  TestThreads threads;
  threads.spawn([&] {
    char byte;
    iovec none[2] = {{&byte, 0}, {&byte, 0}};
    EXPECT_EQ(readv(ends[0], none, 2), 0);
    EXPECT_EQ(readv(ends[0], none, 0), 0);
    volatile int wrong = -1;
    EXPECT_EQ(readv(ends[0], none, wrong), -1);
    EXPECT_EQ(errno, EINVAL);
    while (write(ends[1], full, sizeof full) > 0) {
    }
    EXPECT_EQ(fcntl(ends[1], F_SETFL, 0), 0);
    EXPECT_EQ(writev(ends[1], none, 2), 0);
    std::vector<iovec> many(3000, iovec{&byte, 1});
    EXPECT_EQ(writev(ends[1], many.data(), 3000), -1);
    EXPECT_EQ(errno, EINVAL);
  });
  threads.run();
  close(ends[0]);
  close(ends[1]);
}

TEST(WaitEdges, WhatIsRemovedDuringAWaitIsSaidToBe) {
  TestThreads threads;
  const int queue = msgget(IPC_PRIVATE, 0600), set = semget(IPC_PRIVATE, 1, 0600);
  ASSERT_GE(queue, 0);
  ASSERT_GE(set, 0);
  int waiting = 0;
  threads.spawn([&] {
    struct {
      long type;
      char text[8];
    } got{};
    ++waiting;
    EXPECT_EQ(msgrcv(queue, &got, sizeof got.text, 0, 0), -1);
    EXPECT_EQ(errno, EIDRM);
    EXPECT_EQ(msgrcv(queue, &got, sizeof got.text, 0, 0), -1);
    EXPECT_EQ(errno, EINVAL);
  });
  threads.spawn([&] {
    sembuf take{0, -1, 0};
    ++waiting;
    EXPECT_EQ(semop(set, &take, 1), -1);
    EXPECT_EQ(errno, EIDRM);
  });
  threads.spawn([&] {
    while (waiting < 2) yield();
    for (int i = 0; i < 10; ++i) yield();
    EXPECT_EQ(msgctl(queue, IPC_RMID, nullptr), 0);
    EXPECT_EQ(semctl(set, 0, IPC_RMID), 0);
  });
  threads.run();
}

// Last: the lock is held for good, and other threads' locks would come to lie there.
TEST(WaitEdges, WhoEndsHoldingALockOfAnotherKeepsThatOneNoLonger) {
  TestThreads threads;
  threads.spawn([&] {
    const Tcb* owner = scheduler().current();
    pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
    threads.spawn([&] {
      pthread_mutex_lock(&own);
      yield();
    });
    yield();
    EXPECT_EQ(owner->tied, 1);
    for (int i = 0; i < 5; ++i) yield();
    EXPECT_EQ(owner->tied, 0);
    EXPECT_EQ(pthread_mutex_trylock(&own), EBUSY);
  });
  threads.run();
}

}  // namespace
}  // namespace roam::threads
