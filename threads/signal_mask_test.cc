#include <gtest/gtest.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

#include "threads/kernel_state.h"
#include "threads/test_threads.h"

namespace roam::threads {
namespace {

sigset_t of(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  return set;
}

bool blocks(int signal) {
  sigset_t mask;
  sigemptyset(&mask);
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return sigismember(&mask, signal) == 1;
}

volatile int handled = 0;
// As handlers do that guard something from another one.
void block_another(int) {
  const sigset_t one = of(SIGUSR1);
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &one, &before);
  handled = handled + 1;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}
void block_for_itself(int) {
  const sigset_t one = of(SIGUSR1);
  sigprocmask(SIG_BLOCK, &one, nullptr);
  handled = handled + 1;
}

class SignalMask : public testing::Test {
 protected:
  SignalMask() { handled = 0; }
  ~SignalMask() override { signal(SIGALRM, SIG_DFL); }
};

TEST_F(SignalMask, WhatAHandlerChangesEndsWithIt) {
  TestThreads threads;
  for (const auto handler : {block_another, block_for_itself}) {
    handled = 0;
    signal(SIGALRM, handler);
    raise(SIGALRM);
    threads.spawn([&] {
      EXPECT_FALSE(blocks(SIGALRM));
      EXPECT_FALSE(blocks(SIGUSR1));
      const Tcb* self = scheduler().current();
      for (int i = 0; i < 3; ++i) {
        raise(SIGALRM);
        yield();
        EXPECT_FALSE(blocks(SIGALRM));
        EXPECT_FALSE(blocks(SIGUSR1));
        EXPECT_EQ(self->keeps, 0);
      }
      const sigset_t two = of(SIGUSR2);
      pthread_sigmask(SIG_BLOCK, &two, nullptr);
      for (int i = 0; i < 3; ++i) {
        raise(SIGALRM);
        yield();
        EXPECT_FALSE(blocks(SIGALRM));
        EXPECT_FALSE(blocks(SIGUSR1));
        EXPECT_TRUE(blocks(SIGUSR2));
      }
      pthread_sigmask(SIG_UNBLOCK, &two, nullptr);
      EXPECT_EQ(self->keeps, 0);
    });
    threads.run();
    EXPECT_EQ(handled, 7);
    EXPECT_FALSE(blocks(SIGALRM));
    EXPECT_FALSE(KernelState::rank_blocks(std::uint64_t{1} << (SIGALRM - 1)));
    EXPECT_FALSE(KernelState::rank_blocks(std::uint64_t{1} << (SIGUSR1 - 1)));
  }
}

TEST_F(SignalMask, TicksComeAsLongAsTheTimerRuns) {
  TestThreads threads;
  signal(SIGALRM, block_another);
  const itimerval fast{{0, 1000}, {0, 1000}}, none{};
  setitimer(ITIMER_REAL, &fast, nullptr);
  for (int i = 0; i < 2; ++i) {
    threads.spawn([&] {
      while (handled < 100) {
        for (int k = 0; k < 50; ++k) yield();
        scheduler().sleep_until(now_ns() + 100'000);
        EXPECT_FALSE(blocks(SIGALRM));
        if (HasFailure()) return;
      }
    });
  }
  threads.run();
  setitimer(ITIMER_REAL, &none, nullptr);
  EXPECT_GE(handled, 100);
}

sigjmp_buf out;
// Its way out gives the thread a mask of its own.
void jump(int) {
  const sigset_t two = of(SIGUSR2);
  pthread_sigmask(SIG_SETMASK, &two, nullptr);
  siglongjmp(out, 1);
}

TEST_F(SignalMask, AHandlerThatUnblocksItselfIsOnItsWayOut) {
  TestThreads threads;
  signal(SIGALRM, jump);
  threads.spawn([&] {
    if (sigsetjmp(out, 0) == 0) raise(SIGALRM);
    for (int i = 0; i < 3; ++i) {
      EXPECT_FALSE(blocks(SIGALRM));
      EXPECT_TRUE(blocks(SIGUSR2));
      yield();
    }
  });
  threads.spawn([&] { EXPECT_FALSE(blocks(SIGUSR2)); });
  threads.run();
}

}  // namespace
}  // namespace roam::threads
