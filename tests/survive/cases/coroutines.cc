// C++20 coroutines: frames in the heap, suspended while the thread moves.
#include <coroutine>
#include <cstdint>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

template <class T>
class Generator {
 public:
  struct promise_type {
    std::optional<T> value;
    std::exception_ptr error;
    Generator get_return_object() { return Generator(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(T v) {
      value = std::move(v);
      return {};
    }
    void return_void() {}
    void unhandled_exception() { error = std::current_exception(); }
  };
  using Handle = std::coroutine_handle<promise_type>;

  explicit Generator(Handle handle) : handle_(handle) {}
  Generator(Generator&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  ~Generator() {
    if (handle_) handle_.destroy();
  }
  std::optional<T> next() {
    handle_.promise().value.reset();
    handle_.resume();
    if (handle_.promise().error) std::rethrow_exception(handle_.promise().error);
    return handle_.promise().value;
  }
  Handle handle() const { return handle_; }

 private:
  Handle handle_;
};

Generator<std::string> words(std::uint64_t seed, int count) {
  Random rng(seed);
  std::vector<std::string> said;  // lives in the frame across suspensions
  for (int i = 0; i < count; ++i) {
    said.push_back(rng.text(rng.below(50)));
    co_yield said.back();
    if (said[i].size() > 50) throw std::logic_error("a word changed");
  }
}

SURVIVE_CASE(coroutine_suspended_and_resumed) {
  auto generator = words(move.seed(), 300);
  Random again(move.seed());
  for (int i = 0; i < 300; ++i) {
    if (i % 100 == 50) move();
    const std::optional<std::string> word = generator.next();
    expect(word.has_value(), "there is a word");
    expect_eq(*word, again.text(again.below(50)), "word");
  }
  expect(!generator.next().has_value(), "the generator has ended");
  expect(generator.handle().done(), "the coroutine is done");
}

Generator<int> moving(Mover& move) {
  for (int i = 0; i < 3; ++i) {
    move();  // while the coroutine runs
    co_yield i;
  }
  throw std::runtime_error("after three");
}

SURVIVE_CASE(coroutine_that_moves_while_it_runs_and_throws) {
  auto generator = moving(move);
  for (int i = 0; i < 3; ++i) {
    expect_eq(generator.next().value(), i, "value");
    move();
  }
  const auto error = expect_throws<std::runtime_error>([&] { generator.next(); }, "the coroutine");
  expect_eq(error.what(), std::string("after three"), "what()");
}

// A task awaits another by symmetric transfer; the innermost suspends the whole chain.
struct Task {
  struct promise_type {
    std::coroutine_handle<> continuation = std::noop_coroutine();
    std::uint64_t value = 0;
    Task get_return_object() {
      return Task{std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    struct Final {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> h) noexcept {
        return h.promise().continuation;
      }
      void await_resume() noexcept {}
    };
    Final final_suspend() noexcept { return {}; }
    void return_value(std::uint64_t v) { value = v; }
    void unhandled_exception() { std::terminate(); }
  };
  explicit Task(std::coroutine_handle<promise_type> h) : handle(h) {}
  Task(Task&& other) noexcept : handle(std::exchange(other.handle, nullptr)) {}
  ~Task() {
    if (handle) handle.destroy();
  }
  bool await_ready() { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) {
    handle.promise().continuation = caller;
    return handle;
  }
  std::uint64_t await_resume() { return handle.promise().value; }
  std::coroutine_handle<promise_type> handle;
};

struct Pause {
  std::coroutine_handle<>* where;
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> h) { *where = h; }
  void await_resume() {}
};

Task sum(int depth, std::coroutine_handle<>* pause) {
  std::vector<std::uint64_t> mine(10, depth);
  if (depth == 0) {
    co_await Pause{pause};
    co_return 1;
  }
  const std::uint64_t below = co_await sum(depth - 1, pause);
  co_return below + mine[depth % 10];
}

SURVIVE_CASE(chain_of_coroutines_that_await_each_other) {
  std::coroutine_handle<> paused;
  Task task = sum(30, &paused);
  task.handle.resume();
  expect(!task.handle.done() && paused, "the chain is suspended");
  move();
  paused.resume();
  expect(task.handle.done(), "the chain has ended");
  expect_eq(task.handle.promise().value, std::uint64_t{1 + 30 * 31 / 2}, "sum over the chain");
}

}  // namespace
}  // namespace roam_test
