#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "isomalloc/capture.h"
#include "isomalloc/test_arena.h"
#include "isomalloc/test_heap.h"

namespace roam::iso {
namespace {

// What the runtime does, for a thread that is only a scope here.
thread_local std::vector<Heap*> saved;
std::atomic<int> begun, ended, yielded;

class StaticInitTest : public testing::Test {
 protected:
  StaticInitTest() {
    start_capture();
    begun = ended = yielded = 0;
    static_init_hooks.begin = [] {
      Heap* heap = current_heap;
      current_heap = nullptr;
      saved.push_back(heap);
      ++begun;
    };
    static_init_hooks.end = [] {
      current_heap = saved.back();
      saved.pop_back();
      ++ended;
    };
    static_init_hooks.yield = [] {
      ++yielded;
      return false;
    };
  }
  ~StaticInitTest() override {
    static_init_hooks = {};
    EXPECT_EQ(begun, ended);
    EXPECT_EQ(current_heap, nullptr);
  }
  template <class F>
  auto inside(F f) {
    HeapScope scope(&heap_.heap());
    return f();
  }
  TestArena test_;
  TestHeap heap_;
};

std::vector<int>& made_once() {
  static std::vector<int> numbers(1000, 7);
  return numbers;
}

TEST_F(StaticInitTest, AStaticThatIsFirstReachedInAThreadIsTheProcesss) {
  std::vector<int>* first = nullptr;
  Heap* after = nullptr;
  inside([&] {
    first = &made_once();
    after = current_heap;
  });
  EXPECT_FALSE(arena().contains(first->data()));
  EXPECT_EQ((*first)[999], 7);
  EXPECT_EQ(after, &heap_.heap()) << "and the thread allocates from its heap again";
  EXPECT_GE(begun, 1);
  const int before = begun;
  const std::vector<int>* second = &made_once();
  EXPECT_EQ(begun, before) << "made once";
  EXPECT_EQ(second, first);
  EXPECT_TRUE(heap_->release_empty());
}

std::string& inner() {
  static std::string text(500, 'i');
  return text;
}
std::string& outer() {
  static std::string text = inner() + std::string(500, 'o');
  return text;
}

TEST_F(StaticInitTest, StaticsNest) {
  const std::string* text = inside([] { return &outer(); });
  EXPECT_EQ(*text, std::string(500, 'i') + std::string(500, 'o'));
  EXPECT_FALSE(arena().contains(text->data()));
  EXPECT_FALSE(arena().contains(inner().data()));
  EXPECT_GE(begun, 2);
}

int failures_left = 2;
std::string fails_twice() {
  static const std::string text = [] {
    if (failures_left-- > 0) throw std::runtime_error(std::string(300, 'f'));
    return std::string(300, 's');
  }();
  return text;
}

TEST_F(StaticInitTest, AnInitialiserThatThrowsIsTriedAgain) {
  for (int i = 0; i < 2; ++i) {
    Heap* after = nullptr;
    inside([&] {
      try {
        fails_twice();
      } catch (const std::runtime_error&) {
        after = current_heap;
      }
    });
    EXPECT_EQ(after, &heap_.heap());
    EXPECT_EQ(begun, ended);
  }
  EXPECT_EQ(inside([] { return fails_twice().size(); }), 300u);
  EXPECT_EQ(fails_twice()[0], 's');
  EXPECT_GE(begun, 3);
}

// A new static for each instance: `Round` tells them apart.
std::atomic<int> initialised;
std::atomic<bool> go;
template <int Round>
int& raced() {
  static int value = [] {
    while (!go) {
    }
    return ++initialised;
  }();
  return value;
}

template <int Round>
void race() {
  constexpr int kThreads = 4;
  initialised = 0;
  go = false;
  std::atomic<int> arrived = 0, wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      ++arrived;
      if (raced<Round>() != 1) ++wrong;
    });
  }
  while (arrived != kThreads) std::this_thread::yield();
  go = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(initialised, 1);
  EXPECT_EQ(wrong, 0);
}

TEST_F(StaticInitTest, KernelThreadsThatReachItAtOnceWaitUntilItIsMade) {
  race<0>();
  race<1>();
  race<2>();
  race<3>();
}

int& made_while_yielding() {
  static int value = [] {
    while (yielded == 0) std::this_thread::yield();
    return 5;
  }();
  return value;
}

TEST_F(StaticInitTest, WhoWaitsForAStaticLetsOthersRun) {
  std::thread other([] { EXPECT_EQ(made_while_yielding(), 5); });
  EXPECT_EQ(made_while_yielding(), 5);
  other.join();
  EXPECT_GT(yielded, 0);
}

TEST_F(StaticInitTest, WithoutHooksStaticsAreMadeAsEver) {
  static_init_hooks = {};
  static const std::string text(100, 'x');
  EXPECT_EQ(text.size(), 100u);
}

int recursive(int depth) {
  static int value = depth == 0 ? recursive(depth + 1) : 1;
  return value;
}

TEST_F(StaticInitTest, AStaticThatNeedsItselfStopsTheProgramInsteadOfWaitingForEver) {
  EXPECT_EXIT(
      {
        alarm(10);
        recursive(0);
      },
      testing::ExitedWithCode(1), "static");
}

}  // namespace
}  // namespace roam::iso
