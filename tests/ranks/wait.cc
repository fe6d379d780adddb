// Threads that are asked to migrate while they wait on each kind of object. The object is either
// the process's, or lies in the memory of the thread that wakes them and that stays behind: both
// must be whole after the waiter is gone.
#include <chrono>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

using namespace std::chrono_literals;

// The calling thread was asked to be on `to` while it waited, and has been woken: it is there now
// or, if what it got has to be used here first, when it suspends next.
void expect_moved(int to) {
  if (roam::rank() != to) roam::this_thread::yield();
  expect_eq(roam::rank(), to, "rank after the wait");
}

// Starts `wait` in a thread, asks that it move to `to` once it waits, then lets `wake` wake it.
template <class Wait, class Wake>
void ask_while_waiting(int to, Wait wait, Wake wake) {
  bool waits = false;
  const roam::Thread waiter =
      roam::spawn(roam::SpawnOptions{.name = "waiter"}, [&waits, wait, to]() mutable {
        std::vector<std::uint64_t> mine(1000);
        Pattern(to).fill(mine.data(), 8000);
        waits = true;
        wait();
        expect_moved(to);
        Pattern(to).verify(mine.data(), 8000, "what the waiter holds");
      });
  yield_until([&] { return waits; });
  roam::migrate(waiter, to);
  for (int i = 0; i < 5; ++i) roam::this_thread::yield();
  wake();
  waiter.join();
}

template <class Body>
void on_every_target(Body body) {
  for (int to = 0; to < roam::ranks(); ++to) body(to);
}

SCENARIO(Waiting, UntilATimeOfAClock) {
  const auto later = std::chrono::system_clock::now() + 20ms;
  roam::this_thread::sleep_until(later);
  expect(std::chrono::system_clock::now() >= later, "it is the time that was waited for");
  roam::this_thread::sleep_until(std::chrono::steady_clock::time_point::min());
  roam::this_thread::sleep_for(std::chrono::hours::min());
}

SCENARIO(Waiting, OnALatch) {
  on_every_target([](int to) {
    roam::Latch latch(1);
    ask_while_waiting(
        to, [&latch] { latch.wait(); }, [&latch] { latch.count_down(); });
  });
}

SCENARIO(Waiting, OnALatchOfTheProcess) {
  on_every_target([](int to) {
    static std::optional<roam::Latch> latch;
    latch.emplace(1);
    ask_while_waiting(
        to, [] { latch->wait(); }, [] { latch->count_down(); });
  });
}

SCENARIO(Waiting, OnABarrier) {
  on_every_target([](int to) {
    roam::Barrier barrier(2);
    ask_while_waiting(
        to, [&] { barrier.arrive_and_wait(); }, [&] { barrier.arrive_and_wait(); });
  });
}

SCENARIO(Waiting, OnABarrierOfTheProcess) {
  on_every_target([](int to) {
    static roam::Barrier barrier(2);
    ask_while_waiting(
        to, [] { barrier.arrive_and_wait(); }, [] { barrier.arrive_and_wait(); });
  });
}

// The barrier is one a rank: who completes its phase goes on with that of the rank where it came.
SCENARIO(Waiting, InTheCompletionOfABarrierOfTheProcess) {
  static bool inside = false;
  static roam::Barrier barrier(1, [] {
    const int here = roam::rank();
    inside = true;
    roam::this_thread::sleep_for(50ms);
    expect_eq(roam::rank(), here, "rank in the completion");
    inside = false;
  });
  const roam::Thread last = roam::spawn([] {
    barrier.arrive_and_wait();
    barrier.arrive_and_wait();
  });
  yield_until([] { return inside; });
  if (next_rank() != roam::rank())
    expect_error(roam::Errc::pinned, {}, [&] { roam::migrate(last, next_rank()); });
  last.join();
  barrier.arrive_and_wait();
}

SCENARIO(Waiting, OnAFuture) {
  on_every_target([](int to) {
    roam::Promise<std::string> promise;
    auto future = promise.get_future();
    ask_while_waiting(
        to,
        [&future] {
          const std::string value = future.get();
          expect_eq(value, std::string(500, 'v'), "value of the future");
          expect(roam::in_thread_heap(value.data()), "the value is in the getter's heap");
        },
        [&promise] { promise.set_value(std::string(500, 'v')); });
  });
}

SCENARIO(Waiting, OnAFutureThatGetsAnException) {
  on_every_target([](int to) {
    roam::Promise<int> promise;
    auto future = promise.get_future();
    ask_while_waiting(
        to,
        [&future] {
          const auto error = expect_throws<std::runtime_error>([&] { future.get(); }, "get");
          expect_eq(std::string(error.what()), std::string(500, 'e'), "what()");
        },
        [&promise] {
          promise.set_exception(std::make_exception_ptr(std::runtime_error(std::string(500, 'e'))));
        });
  });
}

SCENARIO(Waiting, OnAChannelToReceive) {
  on_every_target([](int to) {
    roam::Channel<std::string> channel;
    ask_while_waiting(
        to,
        [&channel] {
          const auto value = channel.recv();
          expect(value == std::string(500, 'c'), "value received");
        },
        [&channel] { channel.send(std::string(500, 'c')); });
    expect(channel.empty(), "the channel is empty");
  });
}

SCENARIO(Waiting, OnAChannelToSend) {
  on_every_target([](int to) {
    roam::Channel<std::string> channel(1);
    channel.send("first");
    ask_while_waiting(
        to, [&channel] { channel.send(std::string(500, 's')); },
        [&channel] { expect(channel.recv() == "first", "the value sent first"); });
    expect(channel.try_recv() == std::string(500, 's'), "the value of the one that waited");
  });
}

SCENARIO(Waiting, OnAMutex) {
  on_every_target([](int to) {
    roam::Mutex mutex;
    mutex.lock();
    const int here = roam::rank();
    ask_while_waiting(
        to,
        [&mutex, here] {
          std::lock_guard<roam::Mutex> hold(mutex);
          roam::this_thread::yield();
          expect_eq(roam::rank(), here, "rank while it holds the Mutex");
        },
        [&mutex] { mutex.unlock(); });
    expect(mutex.try_lock(), "the Mutex is free at the end");
    mutex.unlock();
  });
}

SCENARIO(Waiting, OnAConditionVariable) {
  on_every_target([](int to) {
    roam::Mutex mutex;
    roam::ConditionVariable changed;
    bool ready = false;
    const int here = roam::rank();
    ask_while_waiting(
        to,
        [&, here] {
          std::unique_lock<roam::Mutex> hold(mutex);
          changed.wait(hold, [&] { return ready; });
          expect_eq(roam::rank(), here, "rank while it holds the Mutex");
        },
        [&] {
          std::lock_guard<roam::Mutex> hold(mutex);
          ready = true;
          changed.notify_one();
        });
    expect(mutex.try_lock(), "the Mutex is free at the end");
    mutex.unlock();
  });
}

SCENARIO(Waiting, OnAConditionVariableWhoseTimeRunsOut) {
  on_every_target([](int to) {
    roam::Mutex mutex;
    roam::ConditionVariable changed;
    const int here = roam::rank();
    ask_while_waiting(
        to,
        [&, here] {
          std::unique_lock<roam::Mutex> hold(mutex);
          expect(changed.wait_for(hold, 20ms) == std::cv_status::timeout, "the time ran out");
          expect_eq(roam::rank(), here, "rank while it holds the Mutex");
        },
        [] {});
  });
}

SCENARIO(Waiting, InJoin) {
  on_every_target([](int to) {
    roam::Latch latch(1);
    const roam::Thread last = roam::spawn([&latch] { latch.wait(); });
    ask_while_waiting(
        to, [last] { last.join(); }, [&latch] { latch.count_down(); });
  });
}

// Who gives a value may be gone before it is taken: the value must not lie in the giver's memory.
SCENARIO(Handed, AValueOutlivesTheMoveOfItsSender) {
  roam::Channel<std::string> channel;
  const roam::Thread sender = roam::spawn([&channel] {
    Random rng(3);
    for (int i = 0; i < 500; ++i) channel.send(rng.text(100));
    channel.close();
    roam::this_thread::migrate(stranger());
    std::vector<std::string> more(100, std::string(1000, 'm'));
  });
  yield_until([&] { return channel.closed(); });
  for (int i = 0; i < 10; ++i) roam::this_thread::yield();
  Random rng(3);
  for (int i = 0; i < 500; ++i) expect_eq(channel.recv().value(), rng.text(100), "value received");
  expect(!channel.recv().has_value(), "the channel is closed and empty");
  sender.join();
}

SCENARIO(Handed, AFuturesValueOutlivesTheMoveOfItsGiver) {
  roam::Promise<std::vector<std::string>> promise;
  auto future = promise.get_future();
  bool given = false;
  const roam::Thread giver = roam::spawn([&] {
    promise.set_value(std::vector<std::string>(50, std::string(200, 'p')));
    given = true;
    roam::this_thread::migrate(stranger());
  });
  yield_until([&] { return given; });
  for (int i = 0; i < 10; ++i) roam::this_thread::yield();
  roam::this_thread::yield();
  expect(future.get() == std::vector<std::string>(50, std::string(200, 'p')),
         "value of the future");
  giver.join();
}

// Others run while it is copied.
struct SlowToCopy {
  SlowToCopy() = default;
  SlowToCopy(const SlowToCopy&) {
    copying = true;
    roam::this_thread::sleep_for(50ms);
    copying = false;
  }
  SlowToCopy(SlowToCopy&&) noexcept {}
  std::string text = std::string(500, 's');
  static inline bool copying = false;
};

// The value that is copied lies in its memory.
SCENARIO(Handed, WhoseMemoryHasAFuturesValueStaysUntilItIsTaken) {
  roam::Promise<SlowToCopy> promise;
  auto future = promise.get_future();
  promise.set_value(SlowToCopy());
  const roam::Thread taker = roam::spawn(
      [&future] { expect_eq(future.get().text, std::string(500, 's'), "value of the future"); });
  yield_until([] { return SlowToCopy::copying; });
  if (next_rank() != roam::rank())
    expect_error(roam::Errc::pinned, {}, [] { roam::this_thread::migrate(next_rank()); });
  taker.join();
  const int to = next_rank();
  roam::this_thread::migrate(to);
  expect_eq(roam::rank(), to, "rank once it is taken");
}

SCENARIO(Handed, AFuturesExceptionOutlivesTheMoveOfItsGiver) {
  roam::Promise<int> promise;
  auto future = promise.get_future();
  bool given = false;
  const roam::Thread giver = roam::spawn([&] {
    try {
      throw std::runtime_error(std::string(500, 'x'));
    } catch (...) {
      promise.set_exception(std::current_exception());
    }
    given = true;
    try {
      roam::this_thread::migrate(stranger());
    } catch (const roam::Error& error) {
      // Refused, with the reason, is as good: the exception lies in the giver's memory.
      expect(error.code() == roam::Errc::pinned, "the giver is pinned, if it may not move");
    }
  });
  yield_until([&] { return given; });
  for (int i = 0; i < 10; ++i) roam::this_thread::yield();
  const auto error = expect_throws<std::runtime_error>([&] { future.get(); }, "get");
  expect_eq(std::string(error.what()), std::string(500, 'x'), "what()");
  giver.join();
}

SCENARIO(Handed, AReceivedValueMovesWithItsReceiver) {
  roam::Channel<std::vector<std::string>> channel;
  const roam::Thread receiver = roam::spawn([&channel] {
    const auto value = channel.recv().value();
    roam::this_thread::migrate(stranger());
    expect(value == std::vector<std::string>(50, std::string(200, 'r')), "value received");
  });
  channel.send(std::vector<std::string>(50, std::string(200, 'r')));
  receiver.join();
}

SCENARIO(WrongRank, AnObjectIsUsedFromItsOwnersRankOnly) {
  roam::Mutex mutex;
  roam::Latch latch(2);
  roam::Channel<int> channel;
  const int other = neighbour();
  if (other == roam::rank()) return;  // a pointer to another node would be worse than wrong
  on_rank(other, [&] {
    expect_error(roam::Errc::wrong_rank, {}, [&] { mutex.lock(); });
    expect_error(roam::Errc::wrong_rank, {}, [&] { latch.count_down(); });
    expect_error(roam::Errc::wrong_rank, {}, [&] { channel.send(1); });
    expect_error(roam::Errc::wrong_rank, {}, [&] { channel.recv(); });
  });
  expect(mutex.try_lock() && !latch.try_wait() && channel.empty(), "nothing was changed");
  mutex.unlock();
}

}  // namespace
}  // namespace roam_test
