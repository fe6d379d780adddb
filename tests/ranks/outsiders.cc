// Kernel threads that the program makes work for threads: what they send, fulfil and notify arrives
// as it was given, and travels with who got it. Every other public call of them works or says what
// to do.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "roam/isomalloc.h"
#include "roam/roam.h"
#include "tests/support/check.h"

namespace {

using roam_test::expect;
using roam_test::expect_eq;

std::string text_of(int i) { return std::string(100 + static_cast<std::size_t>(i), 'a' + i % 26); }

void move_on() { roam::this_thread::migrate((roam::rank() + 1) % roam::ranks()); }

void fulfil() {
  roam::Promise<std::string> promise;
  roam::Future<std::string> future = promise.get_future();
  std::thread outside([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    promise.set_value(text_of(7));
  });
  std::string got = future.get();
  outside.join();
  move_on();
  expect_eq(got, text_of(7), "the value, one rank on");
}

void fail() {
  roam::Promise<int> promise;
  roam::Future<int> future = promise.get_future();
  std::thread outside(
      [&] { promise.set_exception(std::make_exception_ptr(std::runtime_error(text_of(3)))); });
  std::string got;
  try {
    future.get();
  } catch (const std::runtime_error& e) {
    got = e.what();
  }
  outside.join();
  move_on();
  expect_eq(got, text_of(3), "the text of the exception");
}

// An exception that cannot be copied stays where it is, which nobody outside can be tied to.
struct Odd : std::runtime_error {
  explicit Odd(std::string more) : std::runtime_error("odd one"), text(std::move(more)) {}
  std::string text;
};
void take_an_odd_one() {
  roam::Promise<int> promise;
  roam::Future<int> future = promise.get_future();
  bool told = false;
  std::thread outside([&] {
    try {
      future.get();
    } catch (const roam::Error& e) {
      told = std::string_view(e.what()).find("cannot be copied: odd one") != std::string_view::npos;
    } catch (const std::exception&) {
    }
  });
  promise.set_exception(std::make_exception_ptr(Odd(text_of(300))));
  outside.join();
  expect(told, "it is told that an exception could not be copied, and which");
  promise = roam::Promise<int>();
  move_on();
}

void send() {
  roam::Channel<std::string> channel(4);
  std::thread outside([&] {
    for (int i = 0; i < 300; ++i) channel.send(text_of(i));
    channel.close();
  });
  std::vector<std::string> got;
  while (auto value = channel.recv()) got.push_back(std::move(*value));
  outside.join();
  move_on();
  expect_eq(got.size(), std::size_t{300}, "values");
  for (int i = 0; i < 300; ++i) expect_eq(got[static_cast<std::size_t>(i)], text_of(i), "a value");
}

// Joined before what it gives is looked at: the join lets it in.
void join_first() {
  roam::Promise<std::string> promise;
  roam::Future<std::string> future = promise.get_future();
  std::thread([&] { promise.set_value(text_of(5)); }).join();
  expect_eq(future.get(), text_of(5), "the value");
}

// A kernel thread that main made, which nothing pins anybody for. It does what it is given, one
// after the other.
std::atomic<void (*)(void*)> task = nullptr;
std::atomic<void*> argument = nullptr;
std::atomic<bool> task_ends = false;
void work() {
  while (!task_ends) {
    if (task != nullptr) {
      task.load()(argument);
      task = nullptr;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}
template <class F>
void give(const F& f) {
  argument = const_cast<F*>(&f);
  task = [](void* call) { (*static_cast<const F*>(call))(); };
}
void await_done() {
  while (task != nullptr) roam::this_thread::sleep_for(std::chrono::milliseconds(1));
}

// It stays while that kernel thread waits on what lies in its memory, and no longer.
template <class Waits, class Ends>
void stays_while(Waits waits, Ends ends) {
  give(waits);
  roam::this_thread::sleep_for(std::chrono::milliseconds(50));
  if (roam::ranks() > 1) {
    try {
      move_on();
      expect(false, "who owns what a kernel thread waits on is pinned");
    } catch (const roam::Error& e) {
      expect(e.code() == roam::Errc::pinned, e.what());
      expect(std::string_view(e.what()).find("others wait on objects") != std::string_view::npos,
             e.what());
    }
  }
  ends();
  await_done();
  const int here = roam::rank();
  move_on();
  roam::this_thread::migrate(here);
}
void stay_for_waits() {
  roam::Latch latch(1);
  stays_while([&] { latch.wait(); }, [&] { latch.count_down(); });
  roam::Promise<std::string> promise;
  roam::Future<std::string> future = promise.get_future();
  stays_while(
      [&] {
        const auto status = future.wait_for(std::chrono::milliseconds(400));
        expect(status == std::future_status::timeout, "the time of a wait is up");
      },
      [] {});
  std::size_t got = 0;
  stays_while([&] { got = future.get().size(); }, [&] { promise.set_value(text_of(9)); });
  expect_eq(got, text_of(9).size(), "the length of what a kernel thread got");
}

// Nobody would end the wait after a restart.
void no_checkpoint_of_waits() {
  const char* const temporary = std::getenv("TEST_TMPDIR");
  const std::string folder = std::string(temporary != nullptr ? temporary : "/tmp") + "/outsiders";
  roam::Latch latch(1);
  const auto waits = [&] { latch.wait(); };
  give(waits);
  roam::this_thread::sleep_for(std::chrono::milliseconds(50));
  std::string why;
  try {
    roam::checkpoint(folder);
  } catch (const roam::Error& e) {
    why = e.what();
  }
  roam_test::expect_contains(why, {"kernel thread", "waits on an object"});
  latch.count_down();
  await_done();
}

// On every rank at once, beside threads that compute and yield.
void everywhere() {
  std::vector<roam::Thread> threads;
  for (int r = 0; r < roam::ranks(); ++r) {
    threads.push_back(roam::spawn(roam::SpawnOptions{.rank = r}, [] {
      roam::Thread busy = roam::spawn([] {
        for (int i = 0; i < 20'000; ++i) roam::this_thread::yield();
      });
      fulfil();
      busy.join();
      send();
    }));
  }
  for (roam::Thread t : threads) t.join();
}

template <class F>
void refused(const char* call, F f) {
  try {
    f();
  } catch (const roam::Error& e) {
    expect_eq(e.code() == roam::Errc::not_in_thread, true, call);
    expect(std::string(e.what()).size() > 60, "it says what to do");
    return;
  }
  expect(false, call);
}

// The rest of the public face, in a kernel thread.
void other_calls() {
  roam::Thread waits;
  std::atomic<bool> end = false;
  waits = roam::spawn([&] {
    while (!end) roam::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  const int here = roam::rank();
  std::thread outside([&] {
    refused("spawn", [] { roam::spawn([] {}); });
    refused("join", [&] { roam::join(waits); });
    refused("Thread::join", [&] { waits.join(); });
    refused("migrate", [&] { roam::migrate(waits, 0); });
    refused("this_thread::migrate", [] { roam::this_thread::migrate(0); });
    refused("Pin", [] { roam::this_thread::Pin pin; });
    roam::Mutex mutex;
    refused("Mutex::lock", [&] { mutex.lock(); });
    expect_eq(roam::rank(), here, "rank");
    expect(roam::ranks() > 0, "ranks");
    expect_eq(roam::node_of(roam::rank()), roam::node(), "node");
    expect(!roam::this_thread::self(), "self is empty");
    expect(roam::this_thread::name().empty(), "name is empty");
    roam::this_thread::yield();
    roam::this_thread::sleep_for(std::chrono::milliseconds(1));
    roam::SystemHeap scope;
    int own = 0;
    expect(!roam::in_thread_heap(&own), "not in a thread's heap");
    expect_eq(iso_in_range(&own), 0, "iso_in_range");
    end = true;
  });
  waits.join();
  outside.join();
}

}  // namespace

int main(int argc, char** argv) {
  std::thread worker(work);
  const int code = roam::run(argc, argv, [] {
    fulfil();
    fail();
    take_an_odd_one();
    join_first();
    send();
    everywhere();
    other_calls();
    stay_for_waits();
    no_checkpoint_of_waits();
  });
  task_ends = true;
  worker.join();
  return code;
}
