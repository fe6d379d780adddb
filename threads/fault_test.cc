#include "threads/fault.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <string>

#include "base/check.h"
#include "base/os/memory.h"
#include "isomalloc/range_pool.h"
#include "threads/test_threads.h"

namespace roam::threads {
namespace {

Tcb* self() { return scheduler().current(); }

int overflow(int depth) {
  volatile char frame[1000];
  frame[0] = static_cast<char>(depth);
  if (depth == 1'000'000'000) return 0;
  return overflow(depth + 1) + frame[0];
}

// Everything happens in the child that a death test forks: the handler is installed there only.
class FaultDeathTest : public testing::Test {
 protected:
  template <class F>
  static void in_thread(F f, std::string_view name = "guilty") {
    const rlimit none{1, 1};  // with a core a fault ends the process by its signal
    setrlimit(RLIMIT_CORE, &none);
    install_fault_handler();
    fatal_hooks.describe = [](char* buffer, std::size_t bytes) { describe_current(buffer, bytes); };
    TestThreads threads;
    threads.spawn(f, name);
    threads.run();
  }
};

TEST_F(FaultDeathTest, AStackOverflowNamesTheThreadItsStackAndTheCure) {
  EXPECT_EXIT(in_thread([] { overflow(0); }, "deep"), testing::ExitedWithCode(1),
              "thread 'deep'.*stack overflow in thread 'deep'.*stack_bytes");
}

TEST_F(FaultDeathTest, AWriteToAnothersGuardNamesTheOther) {
  EXPECT_EXIT(in_thread([] {
                Tcb* other = scheduler().slots().make(256 << 10, "victim");
                *static_cast<volatile char*>(other->slot.pointer()) = 1;
              }),
              testing::ExitedWithCode(1), "guard below the stack of thread 'victim'");
}

TEST_F(FaultDeathTest, AnAddressInNoThreadsStackSaysSo) {
  EXPECT_EXIT(in_thread([] {
                const Range slots = iso::arena().region(iso::Region::kSlots);
                *reinterpret_cast<volatile char*>(slots.begin + 100) = 1;
              }),
              testing::ExitedWithCode(1), "no thread that is on this node has it");
}

TEST_F(FaultDeathTest, AnAddressThatNoHeapOrBlockHoldsSaysSo) {
  EXPECT_EXIT(in_thread([] {
                const Range heap = iso::arena().region(iso::Region::kHeap);
                *reinterpret_cast<volatile char*>(heap.end() - 100) = 1;
              }),
              testing::ExitedWithCode(1), "no heap or block that is on this node");
}

TEST_F(FaultDeathTest, AFreedBlockIsNamed) {
  EXPECT_EXIT(in_thread([] {
                const Range range =
                    iso::pool(iso::Region::kBlocks).allocate(2 * iso::kUnitBytes)->range;
                iso::arena().units().mark(range, iso::UnitKind::kFreedBlock);
                os::guard(Range{range.begin + kPageBytes, range.bytes - kPageBytes});
                *reinterpret_cast<volatile char*>(range.end() - 1) = 1;
              }),
              testing::ExitedWithCode(1), "was freed");
}

TEST_F(FaultDeathTest, AnAddressOutsideTheArenaIsNamedAndEndsTheProcessAsEver) {
  EXPECT_EXIT(in_thread([] { *reinterpret_cast<volatile char*>(0x1234) = 1; }),
              testing::KilledBySignal(SIGSEGV), "thread 'guilty'.*segmentation fault.*0x1234");
  EXPECT_EXIT(in_thread([] { *reinterpret_cast<volatile char*>(~0ull << 48 >> 1) = 1; }),
              testing::KilledBySignal(SIGSEGV), "segmentation fault");
}

TEST_F(FaultDeathTest, AHandlerThatWasThereBeforeIsCalled) {
  EXPECT_EXIT(
      {
        std::signal(SIGSEGV, [](int) { _exit(77); });
        in_thread([] { *reinterpret_cast<volatile char*>(0x1234) = 1; });
      },
      testing::ExitedWithCode(77), "");
}

TEST_F(FaultDeathTest, OutsideThreadsTheArenaIsStillExplained) {
  EXPECT_EXIT(
      {
        install_fault_handler();
        TestThreads threads;
        *reinterpret_cast<volatile char*>(iso::arena().region(iso::Region::kHeap).end() - 8) = 1;
      },
      testing::ExitedWithCode(1), "no heap or block");
}

TEST(Describe, NamesTheRunningThreadOrNothing) {
  char text[100] = "before";
  describe_current(text, sizeof text);
  EXPECT_STREQ(text, "");
  TestThreads threads;
  threads.spawn(
      [] {
        char inside[100];
        describe_current(inside, sizeof inside);
        EXPECT_STREQ(inside, "thread 'worker'");
        char small[12];
        describe_current(small, sizeof small);
        EXPECT_STREQ(small, "thread 'wor");
        EXPECT_STREQ(self()->name(), "worker");
      },
      "worker");
  threads.run();
}

}  // namespace
}  // namespace roam::threads
