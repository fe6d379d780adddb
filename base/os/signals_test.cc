#include "base/os/signals.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>

#include "base/test_child.h"

namespace roam::os {
namespace {

void limit_core(rlim_t bytes) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_CORE, &limit), 0);
  limit.rlim_cur = bytes;
  ASSERT_EQ(setrlimit(RLIMIT_CORE, &limit), 0);
}

TEST(WritesCore, FollowsTheLimit) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_CORE, &limit), 0);
  if (limit.rlim_max == 0) GTEST_SKIP() << "the hard limit for cores is 0";
  limit_core(1);
  EXPECT_FALSE(writes_core());
  limit_core(limit.rlim_max);
  EXPECT_TRUE(writes_core());
  limit_core(limit.rlim_cur);
}

TEST(EndByDeathTest, TheProcessEndsByTheSignalWhenItsHandlerReturns) {
  const auto die_in_handler = [](int signal, void (*cause)()) {
    limit_core(1);
    struct sigaction action {};
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = [](int received, siginfo_t* info, void*) { end_by(received, *info); };
    sigaction(signal, &action, nullptr);
    cause();
    _exit(0);
  };
  EXPECT_EXIT(die_in_handler(SIGSEGV, [] { *reinterpret_cast<volatile char*>(0x1234) = 1; }),
              testing::KilledBySignal(SIGSEGV), "");
  EXPECT_EXIT(die_in_handler(SIGTRAP, [] { asm volatile("int3"); }),
              testing::KilledBySignal(SIGTRAP), "");
  EXPECT_EXIT(die_in_handler(SIGQUIT, [] { kill(getpid(), SIGQUIT); }),
              testing::KilledBySignal(SIGQUIT), "");
}

TEST(EndByDeathTest, ASignalThatIsBlockedAndHandledEndsTheProcessAtOnce) {
  EXPECT_EXIT(
      {
        limit_core(1);
        std::signal(SIGABRT, [](int) { _exit(77); });
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGABRT);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        end_by(SIGABRT);
      },
      testing::KilledBySignal(SIGABRT), "");
}

TEST(WriteWhenGone, TheLineComesOnceTheProcessIsGone) {
  int status = 0;
  const std::string all = written_by_child(
      [](int fd) {
        write_when_gone(fd, "gone\n", 5);
        usleep(50'000);
        if (write(fd, "alive\n", 6) != 6) _exit(1);
        kill(getpid(), SIGKILL);
      },
      &status);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(all, "alive\ngone\n");
}

}  // namespace
}  // namespace roam::os
