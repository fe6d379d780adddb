// Objects for synchronisation that live in the thread's own memory and move with it, while no other
// thread waits.
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

SURVIVE_CASE(mutex_and_condition_variable_of_ones_own) {
  roam::Mutex mutex;
  roam::ConditionVariable changed;
  int count = 0;
  for (int round = 0; round < 3; ++round) {
    move();  // between rounds nobody waits; the children are of the rank that it is on now
    std::vector<roam::Thread> children;
    for (int i = 0; i < 10; ++i) {
      children.push_back(roam::spawn([&] {
        for (int k = 0; k < 10; ++k) {
          std::lock_guard<roam::Mutex> hold(mutex);
          const int seen = count;
          roam::this_thread::yield();
          count = seen + 1;
          changed.notify_one();
        }
      }));
    }
    {
      std::unique_lock<roam::Mutex> hold(mutex);
      changed.wait(hold, [&] { return count >= 100 * (round + 1); });
    }
    for (roam::Thread child : children) child.join();
    expect_eq(count, 100 * (round + 1), "increments under the mutex");
  }
}

SURVIVE_CASE(latch_and_barrier_of_ones_own) {
  auto latch = std::make_unique<roam::Latch>(5);
  int phases = 0;
  roam::Barrier barrier(4, [&phases] { ++phases; });
  latch->count_down(2);
  move();
  std::vector<roam::Thread> children;
  for (int i = 0; i < 3; ++i) {
    children.push_back(roam::spawn([&] {
      latch->count_down();
      latch->wait();
      for (int k = 0; k < 5; ++k) barrier.arrive_and_wait();
    }));
  }
  latch->wait();
  for (int k = 0; k < 5; ++k) {
    barrier.arrive_and_wait();
    expect(phases > k, "phases that have ended");
  }
  for (roam::Thread child : children) child.join();
  expect_eq(phases, 5, "phases");
  move();
  expect(latch->try_wait(), "the latch is down");
}

SURVIVE_CASE(channel_full_of_values) {
  roam::Channel<std::string> channel(100);
  Random rng(move.seed());
  for (int i = 0; i < 100; ++i) channel.send(rng.text(rng.below(60)));
  std::string rest = "does not fit";
  expect(!channel.try_send(rest) && rest == "does not fit", "a full channel takes no more");
  move();
  const roam::Thread sender = roam::spawn([&channel] {
    for (int i = 0; i < 50; ++i) channel.send(std::string(100, static_cast<char>('a' + i % 26)));
    channel.close();
  });
  Random again(move.seed());
  for (int i = 0; i < 100; ++i) {
    expect_eq(channel.recv().value(), again.text(again.below(60)), "value sent before the move");
  }
  for (int i = 0; i < 50; ++i) {
    const std::string value = channel.recv().value();
    expect(roam::in_thread_heap(value.data()), "a value received is in the receiver's heap");
    expect_eq(value, std::string(100, static_cast<char>('a' + i % 26)),
              "value sent after the move");
  }
  expect(!channel.recv().has_value(), "the channel is closed and empty");
  sender.join();
}

SURVIVE_CASE(futures_with_and_without_values) {
  roam::Promise<std::string> ready, later, broken;
  roam::Promise<void> failed;
  auto ready_value = ready.get_future();
  auto later_value = later.get_future();
  auto failed_value = failed.get_future();
  ready.set_value(std::string(200, 'r'));
  try {
    throw std::runtime_error("kept " + std::string(100, 'k'));
  } catch (...) {
    failed.set_exception(std::current_exception());
  }
  move();
  const roam::Thread giver = roam::spawn([&later] { later.set_value(std::string(300, 'l')); });
  expect_eq(later_value.get(), std::string(300, 'l'), "value given after the move");
  giver.join();
  expect_eq(ready_value.get(), std::string(200, 'r'), "value given before the move");
  expect(!ready_value.valid(), "a future that was got is invalid");
  move();
  const auto error = expect_throws<std::runtime_error>([&] { failed_value.get(); }, "the future");
  expect_eq(std::string(error.what()), "kept " + std::string(100, 'k'), "error of the future");
  auto broken_value = broken.get_future();
  { roam::Promise<std::string> gone = std::move(broken); }
  expect_error(roam::Errc::broken_promise, {}, [&] { broken_value.get(); });
}

}  // namespace
}  // namespace roam_test
