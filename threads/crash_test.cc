#include "threads/crash.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include "base/check.h"
#include "threads/fault.h"
#include "threads/test_threads.h"

namespace roam::threads {
namespace {

void limit_core() {
  const rlimit none{1, 1};
  setrlimit(RLIMIT_CORE, &none);
}

// In the child that a death test forks.
template <class F>
void in_thread(F f) {
  limit_core();
  install_fault_handler();
  install_crash_handlers();
  fatal_hooks.describe = [](char* buffer, std::size_t bytes) { describe_current(buffer, bytes); };
  TestThreads threads;
  threads.spawn(f, "guilty");
  threads.run();
}

TEST(CrashDeathTest, EachSignalNamesTheThreadAndEndsTheProcessAsEver) {
  struct {
    int signal;
    const char* line;
  } const cases[] = {
      {SIGFPE, "thread 'guilty': arithmetic exception"},
      {SIGILL, "thread 'guilty': illegal instruction"},
      {SIGTRAP, "thread 'guilty': trap"},
      {SIGABRT, "thread 'guilty': abort"},
      {SIGQUIT, "thread 'guilty': quit \\(signal 3\\)"},
      {SIGSYS, "thread 'guilty': bad system call"},
      {SIGXCPU, "thread 'guilty': limit of processor time"},
      {SIGXFSZ, "thread 'guilty': limit of file size"},
  };
  for (const auto& [signal, line] : cases) {
    EXPECT_EXIT(in_thread([signal = signal] { std::raise(signal); }),
                testing::KilledBySignal(signal), line);
  }
}

TEST(CrashDeathTest, WhatTheProcessorFindsHasItsAddress) {
  EXPECT_EXIT(in_thread([] {
                volatile int zero = 0;
                asm volatile("idivl %0" ::"m"(zero), "a"(1), "d"(0));
              }),
              testing::KilledBySignal(SIGFPE), "arithmetic exception at address 0x");
  EXPECT_EXIT(in_thread([] { asm volatile("ud2"); }), testing::KilledBySignal(SIGILL),
              "illegal instruction at address 0x");
}

TEST(CrashDeathTest, WhoSentASignalIsNamed) {
  EXPECT_EXIT(in_thread([] {
                const pid_t target = getpid();
                if (fork() == 0) {
                  kill(target, SIGQUIT);
                  _exit(0);
                }
                for (;;) pause();
              }),
              testing::KilledBySignal(SIGQUIT), "quit \\(signal 3\\), sent by process [0-9]+");
}

TEST(CrashDeathTest, AHandlerThatWasThereBeforeIsCalledAndAnIgnoredSignalStaysSo) {
  EXPECT_EXIT(
      {
        std::signal(SIGFPE, [](int) { _exit(77); });
        std::signal(SIGQUIT, SIG_IGN);
        in_thread([] {
          std::raise(SIGQUIT);
          std::raise(SIGFPE);
        });
      },
      testing::ExitedWithCode(77), "");
}

TEST(CrashDeathTest, WithoutACoreABrokenContractEndsTheJobByItsStatus) {
  EXPECT_EXIT(in_thread([] {
                fatal_hooks.leave_core = leave_core;
                fatal("broken");
              }),
              testing::ExitedWithCode(1), "thread 'guilty': broken");
}

}  // namespace
}  // namespace roam::threads
