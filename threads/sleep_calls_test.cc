#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/time.h>
#include <threads.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <functional>
#include <thread>
#include <vector>

#include "base/job_clock.h"
#include "threads/kernel_state.h"
#include "threads/outside_waits.h"
#include "threads/test_threads.h"

namespace roam::threads {
namespace {

constexpr timespec kShort{0, 2'000'000};

timespec in_a_moment(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  now.tv_nsec += kShort.tv_nsec;
  if (now.tv_nsec >= 1'000'000'000) {
    now.tv_nsec -= 1'000'000'000;
    ++now.tv_sec;
  }
  return now;
}

// `sleep` takes at least the 2 ms that it is asked for, and another thread runs meanwhile.
void expect_sleep(const std::function<void()>& sleep) {
  TestThreads threads;
  bool slept = false;
  int ran = 0;
  threads.spawn([&] {
    const std::int64_t start = now_ns();
    sleep();
    EXPECT_GE(now_ns() - start, kShort.tv_nsec - 1'000);
    slept = true;
  });
  threads.spawn([&] {
    while (!slept) {
      ++ran;
      yield();
    }
  });
  threads.run();
  EXPECT_GE(ran, 1);
}

TEST(SleepCalls, LetOthersRunAndReturnWhatLibcs) {
  expect_sleep([] { EXPECT_EQ(usleep(2000), 0); });
  expect_sleep([] { EXPECT_EQ(nanosleep(&kShort, nullptr), 0); });
  expect_sleep([] { EXPECT_EQ(thrd_sleep(&kShort, nullptr), 0); });
  expect_sleep([] { std::this_thread::sleep_for(std::chrono::milliseconds(2)); });
  expect_sleep([] {
    std::this_thread::sleep_until(std::chrono::system_clock::now() + std::chrono::milliseconds(2));
  });
  expect_sleep([] { EXPECT_EQ(sleep(1), 0u); });
  for (const clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI}) {
    expect_sleep([=] { EXPECT_EQ(clock_nanosleep(clock, 0, &kShort, nullptr), 0); });
    expect_sleep([=] {
      const timespec end = in_a_moment(clock);
      EXPECT_EQ(clock_nanosleep(clock, TIMER_ABSTIME, &end, nullptr), 0);
    });
  }
}

TEST(SleepCalls, TimesThatAreNoneAreRefusedAndThosePastReturnAtOnce) {
  TestThreads threads;
  threads.spawn([] {
    for (const timespec bad : {timespec{0, -1}, timespec{0, 1'000'000'000}, timespec{-1, 0}}) {
      errno = 0;
      EXPECT_EQ(nanosleep(&bad, nullptr), -1);
      EXPECT_EQ(errno, EINVAL);
      EXPECT_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &bad, nullptr), EINVAL);
      EXPECT_EQ(thrd_sleep(&bad, nullptr), -2);
    }
    EXPECT_EQ(clock_nanosleep(12345, 0, &kShort, nullptr), EINVAL);
    EXPECT_EQ(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &kShort, nullptr), EINVAL);
    const timespec past{1, 0};
    EXPECT_EQ(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &past, nullptr), 0);
    EXPECT_EQ(sleep(0), 0u);
    EXPECT_EQ(usleep(0), 0);
  });
  threads.run();
}

TEST(SleepCalls, WhoSleepsStaysOnItsRank) {
  TestThreads threads;
  Tcb* sleeper = threads.spawn([] { usleep(200'000); });
  threads.spawn([&] {
    EXPECT_EQ(sleeper->state, State::kSleeping);
    EXPECT_FALSE(Scheduler::may_move(sleeper));
  });
  threads.run();
}

// As a virtual rank.
TEST(SleepCalls, AGuestMayLeaveInTheMidstOfASleepIfItSaysSo) {
  struct Sleeping final : Guest {
    void enter() override {}
    void depart() override {}
    bool may_leave_asleep() const override { return may_leave; }
    bool may_leave = false;
  };
  TestThreads threads;
  Sleeping guest;
  int departures = 0;
  threads.on_depart = [&](Tcb* t, int) {
    ++departures;
    t->deadline_ns = job_now_ns() + 1'000'000;
    scheduler().resume_arrived(t);
  };
  Tcb* sleeper = threads.spawn([&] {
    KernelState::set_guest(&guest);
    const timespec second{1, 0};
    for (const bool may : {false, true}) {
      guest.may_leave = may;
      const std::int64_t start = now_ns();
      if (may) {
        EXPECT_EQ(nanosleep(&second, nullptr), 0);
        EXPECT_LT(now_ns() - start, 900'000'000);  // on_depart has cut it short
      } else {
        EXPECT_EQ(usleep(2000), 0);
      }
    }
    timespec past{1, 0};
    EXPECT_EQ(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &past, nullptr), 0);
    KernelState::set_guest(nullptr);
  });
  threads.spawn([&] {
    EXPECT_EQ(sleeper->state, State::kSleeping);
    EXPECT_FALSE(Scheduler::may_move(sleeper));
    while (!guest.may_leave || sleeper->state != State::kSleeping) yield();
    EXPECT_TRUE(Scheduler::may_move(sleeper));
    scheduler().ask_to_move(sleeper, TestThreads::kRank + 1);
  });
  threads.run();
  EXPECT_EQ(departures, 1);
}

// It sleeps on for all of its time.
TEST(SleepCalls, AGuestRunsInTheMidstOfASleepWhenItHasTo) {
  struct Sleeping final : Guest {
    void enter() override {}
    void depart() override {}
    std::int64_t runs_by_ns() override {
      times.push_back(job_now_ns());
      return ++asked <= 3 ? times.front() + asked * 1'000'000 : INT64_MAX;
    }
    int asked = 0;
    std::vector<std::int64_t> times;
  };
  TestThreads threads;
  Sleeping guest;
  threads.spawn([&] {
    KernelState::set_guest(&guest);
    const std::int64_t start = now_ns();
    EXPECT_EQ(usleep(50'000), 0);
    EXPECT_GE(now_ns() - start, 50'000'000);
    KernelState::set_guest(nullptr);
  });
  threads.run();
  ASSERT_EQ(guest.asked, 4);
  for (int i = 1; i < 4; ++i) EXPECT_GE(guest.times[i] - guest.times[0], i * 1'000'000) << i;
}

// What waits a second for no descriptor at all is a sleep too.
TEST(SleepCalls, AGuestMayLeaveInTheMidstOfAWaitForNothing) {
  struct Sleeping final : Guest {
    void enter() override {}
    void depart() override {}
    bool may_leave_asleep() const override { return true; }
  };
  constexpr timespec kSecond{1, 0};
  const std::vector<std::function<int()>> waits = {
      [] { return poll(nullptr, 0, 1000); },
      [] {
        pollfd none[2] = {{-1, POLLIN, 7}, {-5, POLLOUT, 7}};
        return poll(none, 2, 1000) + none[0].revents + none[1].revents;
      },
      [&] { return ppoll(nullptr, 0, &kSecond, nullptr); },
      [] {
        timeval second{1, 0};
        const int result = select(0, nullptr, nullptr, nullptr, &second);
        return result + static_cast<int>(second.tv_sec);
      },
      [] {
        fd_set none, others;
        FD_ZERO(&none);
        FD_ZERO(&others);
        timeval second{1, 0};
        return select(FD_SETSIZE, &none, nullptr, &others, &second) + FD_ISSET(3, &others);
      },
      [&] { return pselect(5, nullptr, nullptr, nullptr, &kSecond, nullptr); },
  };
  for (std::size_t i = 0; i < waits.size(); ++i) {
    SCOPED_TRACE(i);
    TestThreads threads;
    Sleeping guest;
    int departures = 0;
    threads.on_depart = [&](Tcb* t, int) {
      ++departures;
      scheduler().resume_arrived(t);
    };
    Tcb* sleeper = threads.spawn([&] {
      KernelState::set_guest(&guest);
      errno = 77;
      const std::int64_t start = now_ns();
      EXPECT_EQ(waits[i](), 0);
      EXPECT_GE(now_ns() - start, 999'000'000);
      EXPECT_EQ(errno, 77);
      KernelState::set_guest(nullptr);
    });
    threads.spawn([&] {
      while (sleeper->state != State::kSleeping) yield();
      EXPECT_TRUE(Scheduler::may_move(sleeper));
      scheduler().ask_to_move(sleeper, TestThreads::kRank + 1);
    });
    threads.run();
    EXPECT_EQ(departures, 1);
  }
}

// With a descriptor, or a mask for the time, it stays.
TEST(SleepCalls, AGuestStaysWhoWaitsForSomething) {
  struct Sleeping final : Guest {
    void enter() override {}
    void depart() override {}
    bool may_leave_asleep() const override { return true; }
  };
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  constexpr timespec kTime{0, 50'000'000};
  sigset_t mask;
  sigemptyset(&mask);
  const std::vector<std::function<int()>> waits = {
      [&] {
        pollfd one[2] = {{-1, POLLIN, 0}, {ends[0], POLLIN, 0}};
        return poll(one, 2, 50);
      },
      [&] {
        fd_set one;
        FD_ZERO(&one);
        FD_SET(ends[0], &one);
        timeval time{0, 50'000};
        return select(ends[0] + 1, nullptr, nullptr, &one, &time);
      },
      [&] { return ppoll(nullptr, 0, &kTime, &mask); },
      [&] { return pselect(0, nullptr, nullptr, nullptr, &kTime, &mask); },
  };
  for (std::size_t i = 0; i < waits.size(); ++i) {
    SCOPED_TRACE(i);
    TestThreads threads;
    Sleeping guest;
    bool done = false;
    Tcb* sleeper = threads.spawn([&] {
      KernelState::set_guest(&guest);
      EXPECT_EQ(waits[i](), 0);
      done = true;
      KernelState::set_guest(nullptr);
    });
    threads.spawn([&] {
      for (; !done; yield()) EXPECT_FALSE(Scheduler::may_move(sleeper));
    });
    threads.run();
  }
  close(ends[0]);
  close(ends[1]);
}

// Deadlines are of the job's clock, however that differs from this machine's.
TEST(SleepCalls, TheJobsClockMayBeShifted) {
  for (const std::int64_t shift : {std::int64_t{-1'000'000'000'000}, std::int64_t{1} << 60}) {
    job_clock_shift_ns = shift;
    expect_sleep([] { EXPECT_EQ(usleep(2000), 0); });
    expect_sleep([] { EXPECT_EQ(nanosleep(&kShort, nullptr), 0); });
    expect_sleep([] { EXPECT_EQ(poll(nullptr, 0, 2), 0); });
    expect_sleep([] { EXPECT_EQ(clock_nanosleep(CLOCK_REALTIME, 0, &kShort, nullptr), 0); });
    expect_sleep([] {
      const timespec end = in_a_moment(CLOCK_MONOTONIC);
      EXPECT_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nullptr), 0);
    });
  }
  job_clock_shift_ns = 0;
}

TEST(SleepCalls, AYieldOfLibcLetsOthersRun) {
  TestThreads threads;
  for (const auto give : {+[] { EXPECT_EQ(sched_yield(), 0); }, +[] { thrd_yield(); },
                          +[] { std::this_thread::yield(); }}) {
    bool flag = false;
    threads.spawn([&] {
      while (!flag) give();
    });
    threads.spawn([&] { flag = true; });
    threads.run();
  }
}

TEST(SleepCalls, AreLibcsWithTheCaptureOffAndOnTheRanksStack) {
  TestThreads threads;
  bool sleeps = false, ran = false;
  threads.spawn([&] {
    sleeps = true;
    {
      iso::HeapScope process;
      usleep(2000);
      sched_yield();
    }
    on_rank_stack([] { usleep(2000); });
    sleeps = false;
  });
  threads.spawn([&] { ran = ran || sleeps; });
  threads.run();
  EXPECT_FALSE(ran);
}

// What a handler interrupts may be the scheduler.
std::atomic<int> handled = 0, handled_inside = 0;
void sleep_in_handler(int) {
  usleep(2000);
  sched_yield();
  if (wait_calls::in_handler(scheduler().current())) ++handled_inside;
  ++handled;
}

// What a handler left on the stack is not taken for one that runs.
[[gnu::noinline]] bool over_old_frames() {
  volatile char room[64 << 10];
  room[0] = 0;
  return wait_calls::in_handler(scheduler().current()) || room[0] != 0;
}

TEST(SleepCalls, AreLibcsInAHandler) {
  struct sigaction action {
  }, before{};
  action.sa_handler = sleep_in_handler;
  sigaction(SIGUSR1, &action, &before);
  {
    TestThreads threads;
    bool in_handler = false, ran = false;
    threads.spawn([&] {
      in_handler = true;
      raise(SIGUSR1);
      in_handler = false;
      EXPECT_FALSE(over_old_frames());
      usleep(100);
    });
    threads.spawn([&] { ran = in_handler; });
    threads.run();
    EXPECT_FALSE(ran);
  }
  EXPECT_EQ(handled, 1);
  EXPECT_EQ(handled_inside, 1);
  sigaction(SIGUSR1, &before, nullptr);
}

TEST(Asker, IsTheProgramAndNotWhatItStandsOn) {
  TestThreads threads;
  threads.spawn([] {
    Tcb* self = scheduler().current();
    const auto here = reinterpret_cast<const char*>(&in_a_moment);
    EXPECT_EQ(wait_calls::asker(here), self);
    EXPECT_EQ(wait_calls::asker(reinterpret_cast<const char*>(&getpid) + 1), nullptr);
  });
  threads.run();
}

}  // namespace
}  // namespace roam::threads
