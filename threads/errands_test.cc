#include "threads/errands.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "roam/error.h"
#include "roam/sync.h"
#include "threads/test_threads.h"

namespace roam::threads {
namespace {

using std::chrono::milliseconds;

// With a kernel thread outside: it starts when the run has begun, and the run goes on until it
// ends.
class OutsideThreads : public TestThreads {
 public:
  OutsideThreads() {
    on_idle = [] {
      sched_yield();
      return true;
    };
  }
  ~OutsideThreads() override { kernel_thread_.join(); }
  void outside(std::function<void()> body) {
    spawn([this, body = std::move(body)] {
      kernel_thread_ = std::thread([this, body] {
        body();
        over_.count_down();
      });
      over_.wait();
    });
  }

 private:
  Latch over_{1};
  std::thread kernel_thread_;
};

template <class F>
Errc code_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.code();
  }
  return Errc{};
}

TEST(Errands, AKernelThreadFulfilsAPromise) {
  OutsideThreads threads;
  Promise<std::string> promise;
  Future<std::string> future = promise.get_future();
  std::string got;
  threads.spawn([&] { got = future.get(); });
  threads.outside([&] {
    EXPECT_EQ(future.wait_for(milliseconds(0)), std::future_status::timeout);
    promise.set_value(std::string(1000, 'x'));
    EXPECT_EQ(code_of([&] { promise.set_value("again"); }), Errc::broken_promise);
  });
  threads.run();
  EXPECT_EQ(got, std::string(1000, 'x'));
}

TEST(Errands, AnExceptionThatCannotBeCopiedIsRefusedAndOthersArrive) {
  OutsideThreads threads;
  Promise<int> promise;
  Future<int> future = promise.get_future();
  std::string got;
  threads.spawn([&] {
    try {
      future.get();
    } catch (const std::runtime_error& e) {
      got = e.what();
    }
  });
  threads.outside([&] {
    EXPECT_EQ(code_of([&] { promise.set_exception(std::make_exception_ptr(17)); }),
              Errc::not_in_thread);
    promise.set_exception(std::make_exception_ptr(std::runtime_error("from outside")));
  });
  threads.run();
  EXPECT_EQ(got, "from outside");
}

TEST(Errands, APromiseThatEndsOutsideIsBroken) {
  OutsideThreads threads;
  auto promise = std::make_unique<Promise<void>>();
  Future<void> future = promise->get_future();
  Errc code{};
  threads.spawn([&] { code = code_of([&] { future.get(); }); });
  threads.outside([&] { promise.reset(); });
  threads.run();
  EXPECT_EQ(code, Errc::broken_promise);
}

TEST(Errands, ChannelsPassBothWaysAndHoldTheSenderBack) {
  OutsideThreads threads;
  Channel<std::string> in(2), out;
  std::size_t most = 0;
  threads.spawn([&] {
    while (auto value = in.recv()) {
      most = std::max(most, in.size() + 1);
      out.send(*value + "!");
    }
    out.close();
  });
  std::string all, expected;
  threads.outside([&] {
    for (int i = 0; i < 100; ++i) {
      in.send(std::to_string(i));
      expected += std::to_string(i) + "!";
    }
    in.close();
    EXPECT_TRUE(in.closed());
    EXPECT_EQ(code_of([&] { in.send("late"); }), Errc::broken_promise);
    while (auto value = out.recv()) all += *value;
    EXPECT_TRUE(out.empty());
  });
  threads.run();
  EXPECT_EQ(all, expected);
  EXPECT_LE(most, 3u);
}

TEST(Errands, WhatCanOnlyBeMovedIsRefused) {
  OutsideThreads threads;
  Channel<std::unique_ptr<int>> channel;
  threads.outside([&] {
    EXPECT_EQ(code_of([&] { channel.send(std::make_unique<int>(1)); }), Errc::not_in_thread);
    EXPECT_EQ(code_of([&] { static_cast<void>(channel.try_recv()); }), Errc::not_in_thread);
  });
  threads.run();
  EXPECT_TRUE(channel.empty());
}

TEST(Errands, KernelThreadsMeetThreadsAtLatchesAndBarriersAndNotify) {
  OutsideThreads threads;
  Barrier barrier(3);
  Latch latch(2);
  Mutex mutex;
  ConditionVariable changed;
  bool told = false;
  int rounds = 0;
  for (int i = 0; i < 2; ++i) {
    threads.spawn([&] {
      for (int k = 0; k < 5; ++k) barrier.arrive_and_wait();
      latch.arrive_and_wait();
      std::unique_lock lock(mutex);
      while (!told) changed.wait(lock);
      ++rounds;
    });
  }
  threads.outside([&] {
    for (int k = 0; k < 5; ++k) barrier.arrive_and_wait();
    latch.wait();
    EXPECT_TRUE(latch.try_wait());
    detail::errand("test", [&] { told = true; });
    changed.notify_all();
  });
  threads.run();
  EXPECT_EQ(rounds, 2);
}

// Also when that is refused.
TEST(Errands, WhoseMemoryAKernelThreadWaitsOnStaysUntilThatHasLooked) {
  OutsideThreads threads;
  struct Objects {
    Latch latch{1}, met{2};
    Barrier barrier{2};
    Channel<int> full{1}, empty;
  };
  struct Wait {
    std::function<void(Objects&)> waits, ends;
  };
  const std::vector<Wait> waits{
      {[](Objects& o) { o.latch.wait(); }, [](Objects& o) { o.latch.count_down(); }},
      {[](Objects& o) { o.met.arrive_and_wait(); }, [](Objects& o) { o.met.count_down(); }},
      {[](Objects& o) { o.barrier.arrive_and_wait(); },
       [](Objects& o) { static_cast<void>(o.barrier.arrive()); }},
      {[](Objects& o) { o.barrier.wait(o.barrier.arrive()); },
       [](Objects& o) { static_cast<void>(o.barrier.arrive()); }},
      {[](Objects& o) { EXPECT_EQ(o.empty.recv(), 3); }, [](Objects& o) { o.empty.send(3); }},
      {[](Objects& o) { EXPECT_EQ(code_of([&] { o.full.send(2); }), Errc::broken_promise); },
       [](Objects& o) { o.full.close(); }}};
  std::atomic<Objects*> given = nullptr;
  std::atomic<std::size_t> turn = waits.size();
  threads.spawn([&] {
    Tcb* const owner = scheduler().current();
    Objects objects;
    objects.full.send(1);
    given = &objects;
    for (std::size_t i = 0; i < waits.size(); ++i) {
      turn = i;
      for (const bool may_move : {false, true}) {
        const std::int64_t end_ns = now_ns() + 5'000'000'000;
        while (Scheduler::may_move(owner) != may_move && now_ns() < end_ns) scheduler().yield();
        EXPECT_EQ(Scheduler::may_move(owner), may_move) << i;
        EXPECT_EQ(waits_from_outside, may_move ? 0 : 1) << i;
        if (!may_move) waits[i].ends(objects);
      }
    }
  });
  threads.outside([&] {
    for (std::size_t i = 0; i < waits.size(); ++i) {
      while (turn != i) sched_yield();
      waits[i].waits(*given);
    }
  });
  threads.run();
}

TEST(Errands, WhatAKernelThreadCannotHoldIsRefused) {
  OutsideThreads threads;
  Mutex mutex;
  ConditionVariable changed;
  threads.outside([&] {
    EXPECT_EQ(code_of([&] { mutex.lock(); }), Errc::not_in_thread);
    EXPECT_EQ(code_of([&] { static_cast<void>(mutex.try_lock()); }), Errc::not_in_thread);
    EXPECT_EQ(code_of([&] { mutex.unlock(); }), Errc::not_in_thread);
    std::mutex own;
    std::unique_lock lock(own);
    EXPECT_EQ(code_of([&] { changed.wait(lock); }), Errc::not_in_thread);
  });
  threads.run();
}

TEST(Errands, AfterTheRunAreRefusedAndDestructorsAreNot) {
  TestThreads threads;
  auto promise = std::make_unique<Promise<std::string>>();
  Future<std::string> future = promise->get_future();
  Channel<int> channel;
  threads.spawn([] {});
  threads.run();
  std::thread([&] {
    EXPECT_EQ(code_of([&] { channel.send(1); }), Errc::not_running);
    EXPECT_EQ(code_of([&] { promise->set_value("x"); }), Errc::not_running);
    promise.reset();
  }).join();
  EXPECT_TRUE(channel.empty());
}

}  // namespace
}  // namespace roam::threads
