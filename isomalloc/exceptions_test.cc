#include "isomalloc/exceptions.h"

#include <gtest/gtest.h>

#include <exception>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "isomalloc/capture.h"
#include "isomalloc/test_arena.h"
#include "isomalloc/test_heap.h"

namespace roam::iso {
namespace {

const std::string kText(100, 't');
std::multimap<const void*, std::string> open_objects;
Heap* running = nullptr;

class ExceptionsTest : public testing::Test {
 protected:
  ExceptionsTest() {
    start_capture();
    open_objects.clear();
    process_hooks.thread_heap = [] { return running; };
    process_hooks.opened = [](Heap* heap, const void* object, const char* what, bool lent) {
      EXPECT_EQ(heap, running);
      EXPECT_EQ(current_heap, nullptr);
      EXPECT_EQ(lent, std::string(what).find("kept") != std::string::npos);
      open_objects.emplace(object, what);
    };
    process_object_closed = [](const void* object) {
      EXPECT_EQ(current_heap, nullptr);
      if (const auto it = open_objects.find(object); it != open_objects.end())
        open_objects.erase(it);
    };
  }
  ~ExceptionsTest() override {
    EXPECT_TRUE(open_objects.empty());
    EXPECT_TRUE(heap_->release_empty());
    process_hooks = {};
    process_object_closed = nullptr;
  }
  template <class F>
  void inside(F f) {
    running = &heap_.heap();
    HeapScope scope(running);
    f();
    running = nullptr;
  }
  // Throws with the capture off, as a static's initialiser does, and looks at it in the thread.
  template <class E>
  void caught(const std::function<void()>& throw_it, const std::function<void(const E&)>& look) {
    inside([&] {
      bool reached = false;
      try {
        HeapScope process;
        throw_it();
      } catch (const E& error) {
        reached = true;
        EXPECT_EQ(current_heap, running);
        look(error);
      }
      EXPECT_TRUE(reached);
    });
  }
  static bool in_arena(const void* p) { return arena().contains(p); }
  static std::string pinned_by() {
    return open_objects.empty() ? "" : open_objects.begin()->second;
  }

  TestArena test_;
  TestHeap heap_;
};

TEST_F(ExceptionsTest, OneThatLeavesCodeOfTheProcessComesWithItsText) {
  const auto expect_home = [](const std::exception& error, const std::string& text) {
    EXPECT_TRUE(in_arena(&error));
    EXPECT_TRUE(in_arena(error.what())) << error.what();
    EXPECT_EQ(error.what(), text);
    EXPECT_EQ(pinned_by(), "");
  };
  caught<std::runtime_error>([] { throw std::runtime_error(kText); },
                             [&](auto& e) { expect_home(e, kText); });
  caught<std::out_of_range>([] { throw std::out_of_range(kText); },
                            [&](auto& e) { expect_home(e, kText); });
  caught<std::system_error>(
      [] { throw std::system_error(ENOENT, std::generic_category(), kText); },
      [&](auto& e) { expect_home(e, kText + ": No such file or directory"); });
}

TEST_F(ExceptionsTest, PathsComeToo) {
  using std::filesystem::filesystem_error;
  const std::error_code code(ENOENT, std::generic_category());
  const std::filesystem::path one = "/" + kText;
  const std::filesystem::path two = "/two" + kText;
  for (const auto& want : {filesystem_error(kText, code), filesystem_error(kText, one, code),
                           filesystem_error(kText, one, two, code)}) {
    const std::string text = want.what();
    caught<filesystem_error>(
        [&] {
          if (want.path1().empty()) throw filesystem_error(kText, code);
          if (want.path2().empty()) throw filesystem_error(kText, one, code);
          throw filesystem_error(kText, one, two, code);
        },
        [&](const filesystem_error& e) {
          EXPECT_EQ(e.what(), text);
          EXPECT_TRUE(in_arena(e.what()));
          EXPECT_EQ(e.path1(), want.path1());
          EXPECT_EQ(e.path2(), want.path2());
          if (!one.empty() && !e.path1().empty()) {
            EXPECT_TRUE(in_arena(e.path1().c_str()));
          }
          EXPECT_EQ(pinned_by(), "");
        });
  }
}

struct WithMember : std::runtime_error {
  WithMember(const std::string& text, std::string m)
      : std::runtime_error(text), member(std::move(m)) {}
  std::string member;
};

TEST_F(ExceptionsTest, WhatElseItHoldsOfTheProcessPinsUntilItIsFreed) {
  for (const std::string& member : {kText, std::string("short")}) {
    caught<WithMember>([&] { throw WithMember(kText, member); },
                       [&](const WithMember& e) {
                         EXPECT_EQ(pinned_by(), "an exception that holds memory of the process");
                         EXPECT_EQ(e.member, member);
                         EXPECT_TRUE(in_arena(e.what()));
                       });
    EXPECT_TRUE(open_objects.empty());
  }
}

struct Numbers : std::logic_error {
  explicit Numbers(int n) : std::logic_error(kText), line(n), column(n + 1), share(n / 3.0) {}
  int line, column;
  double share;
};

TEST_F(ExceptionsTest, NumbersAndConstantsTravel) {
  caught<Numbers>([] { throw Numbers(17); },
                  [](const Numbers& e) {
                    EXPECT_TRUE(in_arena(&e));
                    EXPECT_EQ(pinned_by(), "");
                    EXPECT_TRUE(e.line == 17 && e.column == 18 && e.share == 17 / 3.0);
                  });
  caught<int>([] { throw 5; }, [](int n) { EXPECT_EQ(n, 5); });
  caught<const char*>([] { throw "constant"; },
                      [](const char* s) {
                        EXPECT_STREQ(s, "constant");
                        EXPECT_EQ(pinned_by(), "");
                      });
  caught<std::bad_alloc>([] { throw std::bad_alloc(); },
                         [](const std::bad_alloc& e) { EXPECT_TRUE(in_arena(&e)); });
}

TEST_F(ExceptionsTest, ACopyOfOneOfTheProcessHasATextOfItsOwn) {
  const std::runtime_error prototype(kText);
  inside([&] {
    try {
      throw prototype;
    } catch (const std::runtime_error& error) {
      EXPECT_TRUE(in_arena(error.what()));
      EXPECT_EQ(error.what(), kText);
    }
  });
  EXPECT_EQ(prototype.what(), kText);
}

TEST_F(ExceptionsTest, NestedOnesComeWithWhatTheyHold) {
  caught<std::runtime_error>(
      [] {
        try {
          throw std::logic_error(kText + "inner");
        } catch (...) {
          std::throw_with_nested(std::runtime_error(kText));
        }
      },
      [](const std::runtime_error& outer) {
        EXPECT_EQ(outer.what(), kText);
        try {
          std::rethrow_if_nested(outer);
          ADD_FAILURE();
        } catch (const std::logic_error& inner) {
          EXPECT_EQ(inner.what(), kText + "inner");
          EXPECT_TRUE(in_arena(inner.what()));
          EXPECT_EQ(pinned_by(), "");
        }
      });
}

TEST_F(ExceptionsTest, OneThatIsMadeToBeKeptIsTheProcesss) {
  std::exception_ptr kept;
  inside([&] {
    HeapScope process;
    kept = std::make_exception_ptr(std::runtime_error(kText));
  });
  EXPECT_TRUE(of_process(kept));
  inside([&] {
    {
      const std::exception_ptr held = kept;
      EXPECT_EQ(pinned_by(), "an exception of the process");
    }
    EXPECT_EQ(pinned_by(), "");
    try {
      std::rethrow_exception(kept);
    } catch (const std::runtime_error& copy) {
      EXPECT_EQ(copy.what(), kText);
      EXPECT_TRUE(in_arena(&copy) && in_arena(copy.what()));
      EXPECT_EQ(pinned_by(), "");
    }
  });
}

// Moves of exception_ptr are code of the caller's that nobody sees.
TEST_F(ExceptionsTest, OneThatCameUnseenEndsNoOtherPin) {
  std::exception_ptr kept;
  inside([&] {
    HeapScope process;
    kept = std::make_exception_ptr(WithMember(kText, kText));
  });
  std::exception_ptr to_move = kept, to_move_too = kept;
  std::unique_ptr<std::exception_ptr> held;
  inside([&] {
    held = std::make_unique<std::exception_ptr>(kept);
    EXPECT_TRUE(in_arena(held.get()));
    EXPECT_EQ(pinned_by(), "an exception of the process");
    { const auto unseen = std::make_unique<std::exception_ptr>(std::move(to_move)); }
    EXPECT_EQ(pinned_by(), "an exception of the process") << "it holds another one";
  });
  TestHeap other;
  running = &other.heap();
  {
    HeapScope scope(running);
    const auto unseen = std::make_unique<std::exception_ptr>(std::move(to_move_too));
  }
  running = nullptr;
  EXPECT_EQ(pinned_by(), "an exception of the process") << "another thread holds it";
  inside([&] { held.reset(); });
  EXPECT_EQ(pinned_by(), "");
}

TEST_F(ExceptionsTest, OneThatMovesInsideItsThreadPinsUntilItEnds) {
  std::exception_ptr kept;
  inside([&] {
    HeapScope process;
    kept = std::make_exception_ptr(WithMember(kText, kText));
  });
  inside([&] {
    std::vector<std::unique_ptr<std::exception_ptr>> all;
    for (int i = 0; i < 3; ++i) {
      std::exception_ptr copy = kept;
      all.push_back(std::make_unique<std::exception_ptr>(std::move(copy)));
    }
    for (; !all.empty(); all.pop_back()) {
      EXPECT_EQ(open_objects.size(), all.size());
    }
  });
  EXPECT_EQ(pinned_by(), "");
}

// Where it lies says whose it is, not whether the capture is on.
TEST_F(ExceptionsTest, OneThatIsMadeInAThreadsMemoryWhileTheCaptureIsOffPins) {
  inside([&] {
    auto held = std::make_unique<std::exception_ptr>();
    {
      HeapScope process;
      held->~exception_ptr();
      new (held.get()) std::exception_ptr(std::make_exception_ptr(WithMember(kText, kText)));
    }
    EXPECT_TRUE(of_process(*held));
    EXPECT_EQ(pinned_by(), "an exception of the process");
    held.reset();
    EXPECT_EQ(pinned_by(), "");
  });
}

// A kernel thread of the program has it in the end.
TEST_F(ExceptionsTest, OneThatLeavesItsThreadUnseenPinsAtMostUntilTheExceptionIsFreed) {
  std::exception_ptr kept, elsewhere;
  inside([&] {
    HeapScope process;
    kept = std::make_exception_ptr(WithMember(kText, kText));
  });
  inside([&] {
    auto held = std::make_unique<std::exception_ptr>(kept);
    elsewhere = std::move(*held);
  });
  kept = nullptr;
  EXPECT_EQ(pinned_by(), "an exception of the process");
  elsewhere = nullptr;
  EXPECT_EQ(pinned_by(), "");
}

TEST_F(ExceptionsTest, OfAnotherTypeItPinsWhoHandlesIt) {
  std::exception_ptr kept;
  inside([&] {
    HeapScope process;
    kept = std::make_exception_ptr(WithMember(kText, kText));
  });
  inside([&] {
    try {
      std::rethrow_exception(kept);
    } catch (const WithMember& error) {
      EXPECT_EQ(error.member, kText);
      EXPECT_EQ(pinned_by(), "an exception of the process");
    }
    EXPECT_EQ(pinned_by(), "");
  });
}

TEST_F(ExceptionsTest, OneThatIsKeptByCodeOfTheProcessPins) {
  static std::exception_ptr kept;
  inside([&] {
    HeapScope process;
    try {
      throw std::runtime_error(kText);
    } catch (...) {
      kept = std::current_exception();
    }
  });
  EXPECT_EQ(pinned_by(), "an exception that was kept while the capture was off");
  kept = nullptr;
  EXPECT_EQ(pinned_by(), "");
}

TEST_F(ExceptionsTest, OfTheThreadsOwnNothingIsNoted) {
  inside([] {
    for (int i = 0; i < 3; ++i) {
      try {
        throw WithMember(kText, kText);
      } catch (const WithMember& error) {
        const std::exception_ptr held = std::current_exception();
        EXPECT_FALSE(of_process(held));
        EXPECT_TRUE(in_arena(&error));
        EXPECT_EQ(pinned_by(), "");
      }
    }
  });
}

}  // namespace
}  // namespace roam::iso
