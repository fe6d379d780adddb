#include <gtest/gtest.h>

#include <cerrno>
#include <cfenv>
#include <csignal>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/test_bytes.h"
#include "threads/scheduler.h"
#include "threads/test_threads.h"

namespace roam::threads {
namespace {

void yield() { scheduler().yield(); }
Tcb* self() { return scheduler().current(); }

__attribute__((no_stack_protector)) std::uintptr_t canary() {
  std::uintptr_t value;
  asm volatile("mov %%fs:0x28, %0" : "=r"(value));
  return value;
}

// ---- what belongs to a thread ----

TEST(Scheduler, EachThreadHasItsOwnErrno) {
  TestThreads threads;
  for (int i = 1; i <= 10; ++i) {
    threads.spawn([i] {
      EXPECT_EQ(errno, 0) << "a new thread's errno";
      errno = i;
      for (int turn = 0; turn < 200; ++turn) {
        yield();
        ASSERT_EQ(errno, i);
      }
    });
  }
  threads.on_poll = [] { errno = 99; };
  threads.run();
}

TEST(Scheduler, ThreadsRunUnderTheJobsCanaryAndTheRanksOwnStackUnderItsOwn) {
  const std::uintptr_t own = canary();
  ASSERT_NE(own, TestThreads::kCanary);
  TestThreads threads;
  threads.on_poll = [&] { EXPECT_EQ(canary(), own); };
  for (int i = 0; i < 3; ++i) {
    threads.spawn([] {
      for (int turn = 0; turn < 500; ++turn) {
        EXPECT_EQ(canary(), TestThreads::kCanary);
        yield();
      }
    });
  }
  threads.run();
  EXPECT_EQ(canary(), own);
}

TEST(Scheduler, EachThreadAllocatesFromItsOwnHeapAndKeepsItsScopes) {
  TestThreads threads;
  for (int i = 0; i < 5; ++i) {
    threads.spawn([] {
      for (int turn = 0; turn < 20; ++turn) {
        EXPECT_EQ(iso::current_heap, &self()->heap);
        {
          iso::HeapScope process;
          yield();
          EXPECT_EQ(iso::current_heap, nullptr);
        }
        yield();
      }
    });
  }
  threads.run();
  EXPECT_EQ(iso::current_heap, nullptr);
}

TEST(Scheduler, EachThreadHasItsOwnRoundingModeAndInheritsItsMakers) {
  TestThreads threads;
  const int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
  for (int round = 0; round < 2; ++round) {  // the second on recycled slots
    for (int i = 0; i < 8; ++i) {
      threads.spawn([&, i] {
        EXPECT_EQ(fegetround(), FE_TONEAREST);
        fesetround(modes[i % 4]);
        for (int turn = 0; turn < 50; ++turn) {
          yield();
          ASSERT_EQ(fegetround(), modes[i % 4]);
        }
      });
    }
    threads.run();
    EXPECT_EQ(fegetround(), FE_TONEAREST);
  }
}

TEST(Scheduler, LocalsSurviveEverySwitch) {
  const std::uint64_t seed = test_seed();
  TestThreads threads;
  for (std::uint64_t i = 0; i < 20; ++i) {
    threads.spawn([seed, i] {
      char bytes[10'000];
      for (std::uint64_t turn = 0; turn < 20; ++turn) {
        fill_bytes(bytes, sizeof bytes, seed + i + turn);
        yield();
        ASSERT_TRUE(holds_bytes(bytes, sizeof bytes, seed + i + turn));
      }
    });
  }
  threads.run();
}

TEST(Scheduler, AStackIsAlignedAndAsLargeAsAskedFor) {
  TestThreads threads;
  for (const std::size_t bytes : {0ul, 1ul, 16384ul, 65536ul, 262144ul, 8ul << 20, 64ul << 20}) {
    threads.spawn(
        [bytes] {
          EXPECT_EQ(reinterpret_cast<Address>(__builtin_frame_address(0)) % 16, 0u);
          const Range stack = self()->stack();
          EXPECT_GE(stack.bytes, bytes);
          EXPECT_TRUE(stack.contains(__builtin_frame_address(0)));
          if (bytes > 8192) {
            char* room = static_cast<char*>(__builtin_alloca(bytes - 8192));
            fill_bytes(room, bytes - 8192, bytes);
            yield();
            EXPECT_TRUE(holds_bytes(room, bytes - 8192, bytes));
          }
        },
        "stack", bytes);
  }
  threads.run();
}

int overflow(int depth) {
  volatile char frame[1000];
  frame[0] = static_cast<char>(depth);
  if (depth == 1'000'000'000) return 0;
  return overflow(depth + 1) + frame[0];
}

TEST(SchedulerDeathTest, AStackOverflowFaultsAtTheGuardAndHarmsNobody) {
  TestThreads threads;
  threads.spawn([] { EXPECT_EXIT(overflow(0), testing::KilledBySignal(SIGSEGV), ""); }, "deep",
                std::size_t{1} << 20);
  threads.run();
}

// ---- exceptions ----

TEST(Scheduler, WhatEscapesFromAThreadIsKept) {
  TestThreads threads;
  std::vector<std::string> what;
  threads.on_ended = [&](Tcb* t) {
    if (t->exception == nullptr) {
      what.push_back("none");
      return;
    }
    try {
      std::rethrow_exception(t->exception);
    } catch (const std::exception& e) {
      what.push_back(e.what());
    } catch (int i) {
      what.push_back(std::to_string(i));
    }
  };
  threads.spawn([] { throw std::runtime_error("first"); });
  threads.spawn([] {});
  threads.spawn([] {
    yield();
    throw 42;
  });
  threads.run();
  EXPECT_EQ(what, (std::vector<std::string>{"first", "none", "42"}));
}

TEST(Scheduler, EachThreadHandlesItsOwnExceptions) {
  TestThreads threads;
  for (int i = 0; i < 10; ++i) {
    threads.spawn([i] {
      for (int turn = 0; turn < 30; ++turn) {
        try {
          EXPECT_EQ(std::current_exception(), nullptr);
          throw i * 1000 + turn;
        } catch (int caught) {
          EXPECT_EQ(caught, i * 1000 + turn);
          yield();  // others throw and catch meanwhile
          try {
            throw std::string(static_cast<std::size_t>(i), 'x');
          } catch (const std::string& text) {
            yield();
            EXPECT_EQ(text.size(), static_cast<std::size_t>(i));
          }
          yield();
          try {
            throw;
          } catch (int again) {
            EXPECT_EQ(again, i * 1000 + turn);
          }
          EXPECT_NE(std::current_exception(), nullptr);
        }
      }
    });
  }
  threads.run();
  EXPECT_EQ(std::current_exception(), nullptr);
}

TEST(Scheduler, AThreadMaySwitchWhileItsStackIsUnwound) {
  struct Yields {
    int expected;
    ~Yields() {
      EXPECT_EQ(std::uncaught_exceptions(), expected);
      yield();
      EXPECT_EQ(std::uncaught_exceptions(), expected);
    }
  };
  TestThreads threads;
  for (int i = 0; i < 10; ++i) {
    threads.spawn([] {
      for (int turn = 0; turn < 20; ++turn) {
        try {
          Yields unwound{1};
          throw turn;
        } catch (int caught) {
          EXPECT_EQ(caught, turn);
        }
        Yields plain{0};
      }
    });
  }
  threads.run();
  EXPECT_EQ(std::uncaught_exceptions(), 0);
}

TEST(Scheduler, TheHostsOwnExceptionIsStillItsOwnAfterTheThreadsRan) {
  TestThreads threads;
  threads.spawn([] {
    EXPECT_EQ(std::current_exception(), nullptr);
    try {
      throw 1;
    } catch (int) {
      yield();
    }
  });
  try {
    throw std::runtime_error("ours");
  } catch (...) {
    threads.run();
    try {
      throw;
    } catch (const std::runtime_error& e) {
      EXPECT_STREQ(e.what(), "ours");
    }
  }
}

TEST(Scheduler, ACallOnTheRanksOwnStackComesBackToItsThreadAtOnce) {
  TestThreads threads;
  std::vector<std::string> log;
  threads.spawn([&] {
    errno = 7;
    const char* on_thread = static_cast<char*>(__builtin_frame_address(0));
    Tcb* me = self();
    on_rank_stack([&] {
      const char* here = static_cast<char*>(__builtin_frame_address(0));
      EXPECT_FALSE(me->slot.contains(here));
      EXPECT_TRUE(me->slot.contains(on_thread));
      EXPECT_EQ(self(), nullptr);
      errno = 99;
      log.push_back("call");
      on_rank_stack([&] { log.push_back("inner"); });
    });
    EXPECT_EQ(self(), me);
    EXPECT_EQ(errno, 7);
    log.push_back("back");
  });
  threads.spawn([&] { log.push_back("other"); });
  threads.run();
  EXPECT_EQ(log, (std::vector<std::string>{"call", "inner", "back", "other"}));
}

}  // namespace
}  // namespace roam::threads
