// Function-local statics: the process's, one a rank, whoever reaches them first.
#include <cstdint>
#include <map>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

// A new static for each N: so that each case and mode reaches some of them first.
template <int N>
std::map<std::string, std::vector<std::uint64_t>>& table(bool* first = nullptr) {
  bool made = false;
  static auto& made_here = *new std::map<std::string, std::vector<std::uint64_t>>([&] {
    made = true;
    std::map<std::string, std::vector<std::uint64_t>> map;
    for (int i = 0; i < 100; ++i)
      map["key " + std::string(30, 'k') + std::to_string(i)].assign(50, mix(i));
    return map;
  }());
  if (first != nullptr) *first = made;
  return made_here;
}

template <int N>
const std::vector<std::string>& list() {
  static const std::vector<std::string> all(100, std::string(100, static_cast<char>('a' + N % 26)));
  return all;
}

template <int N>
bool matches(const std::string& text) {
  static const std::regex expression("n([0-9]+)x" + std::to_string(N));
  return std::regex_match(text, expression);
}

template <int N>
void verify_table() {
  auto& map = table<N>();
  expect(!roam::in_thread_heap(&map), "the static is not in the thread's heap");
  expect_eq(map.size(), std::size_t{100}, "keys of the static map");
  for (int i = 0; i < 100; ++i) {
    const auto& values = map.at("key " + std::string(30, 'k') + std::to_string(i));
    expect(!roam::in_thread_heap(values.data()),
           "memory of the static is not in the thread's heap");
    expect(values == std::vector<std::uint64_t>(50, mix(i)), "values of the static map");
  }
}

template <int N>
void verify_list() {
  const auto& all = list<N>();
  expect(!roam::in_thread_heap(all.data()), "the static's memory is not in the thread's heap");
  for (const std::string& s : all) {
    expect(s == std::string(100, static_cast<char>('a' + N % 26)), "string of the static vector");
  }
}

// Calls f<0>() ... f<31>() with the one that `n` chooses.
template <template <int> class F, int N = 0>
void choose(int n) {
  if constexpr (N < 32) {
    if (n == N) return F<N>::call();
    choose<F, N + 1>(n);
  }
}

template <int N>
struct Statics {
  static void call() {
    verify_table<N>();
    verify_list<N>();
    expect(matches<N>("n77x" + std::to_string(N)) && !matches<N>("77x"),
           "the static regex matches");
  }
};

int chosen(const Mover& move) {
  return static_cast<int>(move.mode()) * 4 + static_cast<int>(move.seed() % 4);
}

// The thread that made the static moves away, or ends; others of the rank go on with it.
SURVIVE_CASE(static_reached_first_in_a_thread_that_then_moves) {
  const int n = chosen(move);
  const int start = roam::rank();
  choose<Statics>(n);
  roam::spawn([n, move]() mutable {
    choose<Statics>(n);
    move();
    choose<Statics>(n);  // on another rank: made there, or found
  }).join();
  move();
  choose<Statics>(n);
  // Back on the first rank, after those that made it have gone.
  roam::spawn(roam::SpawnOptions{.rank = start}, [=] {
    for (int i = 0; i < 100; ++i) {
      std::vector<std::string> reuse(20, std::string(200, 'r'));
      choose<Statics>(n);
    }
  }).join();
}

SURVIVE_CASE(static_reached_first_in_a_thread_that_then_ends) {
  const int n = (chosen(move) + 2) % 32;
  for (int i = 0; i < 5; ++i) {
    roam::spawn([=] { choose<Statics>(n); }).join();
    std::vector<std::string> reuse(1000, std::string(300, 'r'));
  }
  choose<Statics>(n);
  move();
  choose<Statics>(n);
}

// A SystemHeap makes what a static grows by the process's too.
std::vector<std::string>& log() {
  static std::vector<std::string> lines;
  return lines;
}

SURVIVE_CASE(static_that_grows_under_a_system_heap) {
  const int start = roam::rank();
  std::size_t lines;
  {
    roam::SystemHeap system;
    for (int i = 0; i < 100; ++i)
      log().push_back("line " + std::string(100, 'l') + std::to_string(i));
    lines = log().size();
    expect(!roam::in_thread_heap(log().data()), "the static's memory is the process's");
  }
  std::string mine(100, 'm');
  expect(roam::in_thread_heap(mine.data()), "after the SystemHeap the thread's own heap is back");
  move();
  roam::spawn(roam::SpawnOptions{.rank = start}, [lines] {
    expect(log().size() >= lines, "lines are still there");
    for (std::size_t i = 0; i < lines; ++i) {
      expect_eq(log()[i], "line " + std::string(100, 'l') + std::to_string(i % 100), "a line");
    }
  }).join();
}

struct Throws {
  explicit Throws(bool now) {
    if (now) throw std::runtime_error("not yet " + std::string(100, 't'));
    text = std::string(500, 'T');
  }
  std::string text;
};

template <int N>
const Throws& sometimes(bool now) {
  static const Throws it(now);
  return it;
}

template <int N>
struct Sometimes {
  static void call() {
    for (int i = 0; i < 3; ++i) {
      try {
        sometimes<N>(true);
        return;  // made already, in an earlier round or by another case
      } catch (const std::runtime_error& error) {
        expect_contains(error.what(), {"not yet ttt"});
      }
      std::string mine(100, 'm');
      expect(roam::in_thread_heap(mine.data()), "after a failed static the thread's heap is back");
    }
    expect_eq(sometimes<N>(false).text, std::string(500, 'T'), "text of the static");
    expect(!roam::in_thread_heap(sometimes<N>(false).text.data()), "its memory is the process's");
  }
};

SURVIVE_CASE(static_whose_constructor_throws_first) {
  choose<Sometimes>(chosen(move));
  move();
  choose<Sometimes>(chosen(move));
}

}  // namespace
}  // namespace roam_test
