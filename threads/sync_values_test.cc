#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <future>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/test_bytes.h"
#include "roam/sync.h"
#include "threads/test_memory.h"
#include "threads/test_threads.h"

namespace roam::threads {
namespace {

using namespace std::chrono_literals;

void yield() { scheduler().yield(); }

template <class F>
void expect_refused(Errc code, F f) {
  try {
    f();
    ADD_FAILURE() << "was accepted, not refused with " << to_string(code);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
  }
}

// ---- Future and Promise ----

TEST(Saturated, KeepsWhatFitsAndRoundsUp) {
  using namespace std::chrono;
  EXPECT_EQ(detail::saturated(hours(3)), nanoseconds(hours(3)));
  EXPECT_EQ(detail::saturated(duration<double, std::nano>(1.25)), nanoseconds(2));
  EXPECT_EQ(detail::saturated(duration<float>(0.5f)), milliseconds(500));
  EXPECT_EQ(detail::saturated(duration<int, std::pico>(1)), nanoseconds(1));
}

TEST(Saturated, WaitsForEverWhereTheUnitOverflowsAndNotAtAllBackwards) {
  using namespace std::chrono;
  EXPECT_EQ(detail::saturated(hours::max()), nanoseconds::max());
  EXPECT_EQ(detail::saturated(seconds::max()), nanoseconds::max());
  EXPECT_EQ(detail::saturated(nanoseconds::max()), nanoseconds::max());
  EXPECT_EQ(detail::saturated(duration<double>(1e300)), nanoseconds::max());
  EXPECT_EQ(detail::saturated(hours::min()), nanoseconds(0));
  EXPECT_EQ(detail::saturated(duration<double>(-1e300)), nanoseconds(0));
  EXPECT_EQ(detail::saturated(duration<double>(std::nan(""))), nanoseconds(0));
  EXPECT_EQ(detail::deadline_in(hours::max()), nanoseconds::max().count());
}

TEST(Future, GivesTheValueThatComesLater) {
  TestThreads threads;
  Promise<std::string> promise;
  Future<std::string> future = promise.get_future();
  threads.spawn([&] {
    EXPECT_TRUE(future.valid());
    EXPECT_EQ(future.get(), std::string(100, 'v'));
    EXPECT_FALSE(future.valid());
  });
  threads.spawn([&] {
    yield();
    promise.set_value(std::string(100, 'v'));
  });
  threads.run();
}

TEST(Future, GivesTheValueThatWasThereBefore) {
  TestThreads threads;
  Promise<int> promise;
  promise.set_value(5);
  Future<int> future = promise.get_future();
  future.wait();  // plain code need not wait
  EXPECT_EQ(future.wait_for(0s), std::future_status::ready);
  EXPECT_EQ(future.get(), 5);
}

TEST(Future, HoldsVoidReferencesAndWhatCanOnlyBeMoved) {
  TestThreads threads;
  Promise<void> nothing;
  Promise<int&> reference;
  Promise<std::unique_ptr<int>> moved;
  Future<void> nothing_later = nothing.get_future();
  Future<int&> reference_later = reference.get_future();
  Future<std::unique_ptr<int>> moved_later = moved.get_future();
  int target = 0;
  bool done = false;
  threads.spawn([&] {
    nothing_later.get();
    EXPECT_EQ(&reference_later.get(), &target);
    EXPECT_EQ(*moved_later.get(), 7);
    done = true;
  });
  threads.spawn([&] {
    moved.set_value(std::make_unique<int>(7));
    reference.set_value(target);
    yield();
    nothing.set_value();
  });
  threads.run();
  EXPECT_TRUE(done);
}

TEST(Future, GivesTheExceptionInPlaceOfAValue) {
  TestThreads threads;
  Promise<int> promise;
  Future<int> future = promise.get_future();
  threads.spawn([&] {
    try {
      future.get();
      ADD_FAILURE() << "gave a value";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "no luck");
    }
    EXPECT_FALSE(future.valid());
  });
  threads.spawn(
      [&] { promise.set_exception(std::make_exception_ptr(std::runtime_error("no luck"))); });
  threads.run();
}

TEST(Future, TimedWaitsSayWhetherTheValueCame) {
  TestThreads threads;
  Promise<int> promise;
  Future<int> future = promise.get_future();
  threads.spawn([&] {
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(future.wait_for(2ms), std::future_status::timeout);
    EXPECT_GE(std::chrono::steady_clock::now() - before, 2ms);
    EXPECT_EQ(future.wait_until(std::chrono::system_clock::now() + 1ms),
              std::future_status::timeout);
    EXPECT_EQ(future.wait_for(-1s), std::future_status::timeout);
    threads.spawn([&] { promise.set_value(3); });
    EXPECT_EQ(future.wait_for(1h), std::future_status::ready);
    EXPECT_EQ(future.wait_until(std::chrono::steady_clock::time_point::max()),
              std::future_status::ready);
    EXPECT_EQ(future.get(), 3);
  });
  threads.run();
  EXPECT_FALSE(scheduler().has_sleepers());
}

TEST(Promise, ThatEndsWithoutAValueBreaks) {
  TestThreads threads;
  std::optional<Promise<int>> promise(std::in_place);
  Future<int> future = promise->get_future();
  Future<int> overwritten;
  threads.spawn([&] { expect_refused(Errc::broken_promise, [&] { future.get(); }); });
  threads.spawn([&] { promise.reset(); });
  threads.run();
  {
    Promise<int> one;
    overwritten = one.get_future();
    one = Promise<int>();
    expect_refused(Errc::broken_promise, [&] { overwritten.get(); });
  }
  {
    Promise<int> given;
    overwritten = given.get_future();
    given.set_value(1);
  }
  EXPECT_EQ(overwritten.get(), 1) << "with a value it may end";
}

TEST(Promise, MovesWithoutBreaking) {
  TestThreads threads;
  Promise<int> first;
  Future<int> future = first.get_future();
  Promise<int> second(std::move(first));
  first = std::move(second);
  expect_refused(Errc::broken_promise, [&] { first.get_future(); });
  Promise<int> third;
  third = std::move(first);
  third.set_value(4);
  EXPECT_EQ(future.get(), 4);
}

TEST(Promise, MisuseIsRefusedAndChangesNothing) {
  TestThreads threads;
  Promise<int> promise;
  Future<int> future = promise.get_future();
  expect_refused(Errc::broken_promise, [&] { promise.get_future(); });
  promise.set_value(1);
  expect_refused(Errc::broken_promise, [&] { promise.set_value(2); });
  expect_refused(Errc::broken_promise, [&] { promise.set_exception(std::make_exception_ptr(3)); });
  EXPECT_EQ(future.get(), 1);
  expect_refused(Errc::broken_promise, [&] { future.get(); });
  expect_refused(Errc::broken_promise, [&] { future.wait(); });
  Future<int> none;
  EXPECT_FALSE(none.valid());
  expect_refused(Errc::broken_promise, [&] { none.get(); });
  Promise<int> moved(std::move(promise));
  expect_refused(Errc::broken_promise, [&] { promise.set_value(1); });
  expect_refused(Errc::broken_promise, [&] { promise.get_future(); });
}

TEST(Future, PlainCodeCannotWaitForAValueAndKeepsTheFuture) {
  TestThreads threads;
  Promise<int> promise;
  Future<int> future = promise.get_future();
  expect_refused(Errc::not_in_thread, [&] { future.get(); });
  expect_refused(Errc::not_in_thread, [&] { future.wait_for(1ms); });
  EXPECT_TRUE(future.valid());
  promise.set_value(6);
  EXPECT_EQ(future.get(), 6);
}

TEST(Promise, AValueWhoseCopyThrowsIsNotGiven) {
  struct Throws {
    Throws() = default;
    Throws(const Throws&) { throw std::runtime_error("no copy"); }
  };
  TestThreads threads;
  Promise<Throws> promise;
  Future<Throws> future = promise.get_future();
  const Throws value;
  EXPECT_THROW(promise.set_value(value), std::runtime_error);
  threads.spawn([&] { EXPECT_EQ(future.wait_for(0s), std::future_status::timeout); });
  threads.run();
}

// ---- Channel ----

TEST(Channel, ValuesArriveInTheOrderInWhichTheyWereSent) {
  for (const std::size_t capacity : {0ul, 1ul, 3ul, 1000ul}) {
    TestThreads threads;
    Channel<int> channel(capacity);
    int received = 0;
    threads.spawn([&] {
      for (int i = 0; i < 500; ++i) {
        channel.send(i);
        if (capacity != 0) {
          EXPECT_LE(channel.size(), capacity);
        }
      }
      channel.close();
    });
    threads.spawn([&] {
      while (const std::optional<int> value = channel.recv()) EXPECT_EQ(*value, received++);
    });
    threads.run();
    EXPECT_EQ(received, 500);
    EXPECT_TRUE(channel.empty());
  }
}

TEST(Channel, AFullChannelMakesTheSenderWait) {
  TestThreads threads;
  Channel<int> channel(2);
  int sent = 0;
  threads.spawn([&] {
    for (; sent < 5; ++sent) channel.send(sent);
  });
  threads.spawn([&] {
    for (int i = 0; i < 5; ++i) yield();
    EXPECT_EQ(sent, 2);
    EXPECT_EQ(channel.recv(), 0);
    yield();
    yield();
    EXPECT_EQ(sent, 3);
    for (int i = 1; i < 5; ++i) EXPECT_EQ(channel.recv(), i);
  });
  threads.run();
  EXPECT_EQ(sent, 5);
}

// It was woken for the room.
TEST(Channel, ASenderThatFindsNoMemoryLeavesItsRoomToTheNext) {
  TestThreads threads;
  struct Page {
    int number;
    char room[1000];
  };
  Channel<Page> channel(1);
  bool refused = false;
  threads.spawn([&] {
    channel.send({0, {}});
    for (int i = 1; i <= 2; ++i) {
      threads.spawn([&, i] {
        try {
          channel.send({i, {}});
        } catch (const std::bad_alloc&) {
          no_memory = false;
          refused = true;
        }
      });
    }
    yield();
    EXPECT_EQ(channel.recv().value().number, 0);
    no_memory = true;
    yield();
    EXPECT_TRUE(refused);
    EXPECT_EQ(channel.recv().value().number, 2);
  });
  threads.run();
}

// It has not waited: nobody wakes it, and its object keeps nobody.
TEST(ConditionVariable, AWaitThatFindsNoMemoryForItsDeadlineIsNone) {
  TestThreads threads;
  threads.spawn([&] {
    Tcb* owner = scheduler().current();
    Mutex mutex;
    ConditionVariable condition;
    bool refused = false, over = false;
    threads.spawn([&] {
      Tcb* self = scheduler().current();
      std::unique_lock lock(mutex);
      no_memory = true;
      try {
        condition.wait_for(lock, 1h);
      } catch (const std::bad_alloc&) {
        refused = true;
      }
      no_memory = false;
      EXPECT_TRUE(refused);
      EXPECT_TRUE(lock.owns_lock());
      lock.unlock();
      EXPECT_EQ(self->queue, nullptr);
      EXPECT_EQ(self->deadline_ns, 0);
      EXPECT_TRUE(Scheduler::may_move(self));
      EXPECT_TRUE(Scheduler::may_move(owner));
      condition.notify_one();
      refused = false;
      no_memory = true;
      try {
        scheduler().sleep_until(job_now_ns() + 3'600'000'000'000);
      } catch (const std::bad_alloc&) {
        refused = true;
      }
      no_memory = false;
      EXPECT_TRUE(refused);
      EXPECT_EQ(self->deadline_ns, 0);
      yield();
      over = true;
    });
    while (!over) yield();
    condition.notify_all();
    EXPECT_FALSE(scheduler().has_sleepers());
  });
  threads.run();
}

TEST(Channel, AfterCloseWhatIsInsideCanBeReceivedAndNothingSent) {
  TestThreads threads;
  Channel<std::string> channel;
  channel.send("a");
  channel.send("b");
  EXPECT_EQ(channel.size(), 2u);
  channel.close();
  EXPECT_TRUE(channel.closed());
  expect_refused(Errc::broken_promise, [&] { channel.send("c"); });
  std::string text = "d";
  expect_refused(Errc::broken_promise, [&] { channel.try_send(text); });
  EXPECT_EQ(text, "d");
  EXPECT_EQ(channel.recv(), "a");
  EXPECT_EQ(channel.try_recv(), "b");
  EXPECT_EQ(channel.recv(), std::nullopt);
  EXPECT_EQ(channel.try_recv(), std::nullopt);
  channel.close();
}

TEST(Channel, CloseWakesEveryoneWhoWaits) {
  TestThreads threads;
  Channel<int> full(1), empty;
  full.send(0);
  int woken = 0;
  for (int i = 0; i < 3; ++i) {
    threads.spawn([&] {
      expect_refused(Errc::broken_promise, [&] { full.send(1); });
      ++woken;
    });
    threads.spawn([&] {
      EXPECT_EQ(empty.recv(), std::nullopt);
      ++woken;
    });
  }
  threads.spawn([&] {
    yield();
    full.close();
    empty.close();
  });
  threads.run();
  EXPECT_EQ(woken, 6);
}

TEST(Channel, TheTryingCallsNeverWaitAndLeaveAValueThatDidNotFit) {
  TestThreads threads;
  Channel<std::unique_ptr<int>> channel(1);
  EXPECT_EQ(channel.try_recv(), std::nullopt);
  EXPECT_TRUE(channel.try_send(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  EXPECT_FALSE(channel.try_send(second));
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(**channel.try_recv(), 1);
  EXPECT_TRUE(channel.try_send(second));
  EXPECT_EQ(second, nullptr);
  EXPECT_EQ(**channel.recv(), 2);
}

TEST(Channel, PlainCodeCannotWait) {
  TestThreads threads;
  Channel<int> channel(1);
  expect_refused(Errc::not_in_thread, [&] { channel.recv(); });
  channel.send(1);
  expect_refused(Errc::not_in_thread, [&] { channel.send(2); });
  EXPECT_EQ(channel.size(), 1u);
  EXPECT_EQ(channel.recv(), 1);
}

TEST(Channel, SeveralSendersAndReceiversLoseAndDoubleNothing) {
  const std::uint64_t seed = test_seed();
  for (const std::uint64_t shuffle : {std::uint64_t{0}, seed | 1}) {
    for (const std::size_t capacity : {0ul, 1ul, 2ul, 7ul}) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << " capacity " << capacity);
      TestThreads threads(false, std::size_t{16} << 30, shuffle);
      std::mt19937_64 random(seed);
      constexpr int kSenders = 8, kEach = 200;
      Channel<std::pair<int, std::string>> channel(capacity);
      Latch all_sent(kSenders);
      std::vector<int> next(kSenders);
      int received = 0;
      for (int s = 0; s < kSenders; ++s) {
        threads.spawn([&, s] {
          for (int i = 0; i < kEach; ++i) {
            std::pair<int, std::string> value{s, std::to_string(i)};
            while (random() % 3 == 0) yield();
            if (random() % 2 == 0 || !channel.try_send(value)) channel.send(value);
          }
          all_sent.count_down();
        });
      }
      threads.spawn([&] {
        all_sent.wait();
        channel.close();
      });
      // One receiver sees each sender's values in order; several see all of them.
      const int receivers = capacity == 2 ? 1 : 5;
      for (int r = 0; r < receivers; ++r) {
        threads.spawn([&, receivers] {
          while (const auto value = channel.recv()) {
            ++received;
            if (receivers == 1) {
              EXPECT_EQ(value->second,
                        std::to_string(next[static_cast<std::size_t>(value->first)]++));
            }
            while (random() % 3 == 0) yield();
          }
        });
      }
      threads.run();
      EXPECT_EQ(received, kSenders * kEach);
      EXPECT_TRUE(channel.empty());
    }
  }
}

TEST(Channel, AReceiverMayGiveUpToAnotherWhoTriesFirst) {
  TestThreads threads;
  Channel<int> channel;
  std::vector<int> got;
  threads.spawn([&] {
    if (const auto value = channel.recv()) got.push_back(*value);
  });
  threads.spawn([&] {
    channel.send(1);  // wakes the receiver, which has not run yet
    EXPECT_EQ(channel.try_recv(), 1);
    yield();
    EXPECT_TRUE(got.empty());
    channel.send(2);
  });
  threads.run();
  EXPECT_EQ(got, (std::vector<int>{2}));
}

}  // namespace
}  // namespace roam::threads
