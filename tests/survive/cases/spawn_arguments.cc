// What spawn passes: arguments and captures, as lvalues, rvalues and by reference.
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
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

using Words = std::vector<std::string>;

Words words(std::uint64_t seed, int count = 200) {
  Random rng(seed);
  Words result;
  for (int i = 0; i < count; ++i) result.push_back(rng.text(rng.below(60)));
  return result;
}

// The giver goes on, changes and frees its own copy, and ends before the taker reads.
SURVIVE_CASE(arguments_as_lvalues_and_rvalues) {
  Words lvalue = words(1), rvalue = words(2);
  auto body = [move](const Words& a, Words b, std::string c, const char* literal) mutable {
    expect(roam::in_thread_heap(a.data()) && roam::in_thread_heap(b.data()),
           "the vectors are in the thread's heap");
    expect(
        roam::in_thread_heap(b[0].size() > 15 ? b[0].data() : static_cast<const void*>(b.data())),
        "a string is in the thread's heap");
    move();
    expect(a == words(1), "argument from an lvalue");
    expect(b == words(2), "argument from an rvalue");
    expect_eq(c, std::string(500, 'c'), "argument from a temporary");
    expect_eq(std::string(literal), "literal", "argument from a literal");
    b.insert(b.end(), a.begin(), a.end());
    b.clear();
  };
  const roam::Thread thread =
      roam::spawn(body, lvalue, std::move(rvalue), std::string(500, 'c'), "literal");
  lvalue.assign(300, "changed by the giver");
  expect(rvalue.empty(), "an rvalue is given up");
  rvalue = words(3);
  move();
  thread.join();
}

SURVIVE_CASE(captures_given_as_a_temporary_closure) {
  Words mine = words(4);
  std::map<std::string, Words> map{{"a", words(5)}, {"b", words(6)}};
  const roam::Thread thread =
      roam::spawn([mine = std::move(mine), map = std::move(map), move]() mutable {
        move();
        expect(mine == words(4), "vector captured");
        expect(map.at("a") == words(5) && map.at("b") == words(6), "map captured");
        mine.push_back("more");
        map["c"] = mine;
      });
  mine = words(7);
  map.clear();
  move();
  thread.join();
  expect(mine == words(7), "the giver's vector, used again");
}

SURVIVE_CASE(arguments_that_can_only_be_moved) {
  auto body = [move](std::unique_ptr<Words> owned, std::vector<std::unique_ptr<int>> many) mutable {
    expect(*owned == words(8), "what a unique_ptr points at");
    for (int i = 0; i < 50; ++i) expect_eq(*many[i], i, "int behind a unique_ptr");
    // What could only be moved is in the giver's memory, and stays behind; a copy made here is the
    // thread's own.
    auto again = std::make_unique<Words>(*owned);
    owned.reset();
    many = decltype(many)();
    move();
    expect(*again == words(8), "what a unique_ptr of the thread's own points at");
  };
  std::vector<std::unique_ptr<int>> many;
  for (int i = 0; i < 50; ++i) many.push_back(std::make_unique<int>(i));
  auto owned = std::make_unique<Words>(words(8));
  expect_eq(move.moves(), 0, "moves");
  roam::spawn(body, std::move(owned), std::move(many)).join();
  move();
}

SURVIVE_CASE(pointers_and_references_to_what_the_joiner_holds) {
  std::vector<std::uint64_t> results(50, 0);
  std::vector<roam::Thread> threads;
  for (std::uint64_t i = 0; i < 50; ++i) {
    // The children stay on the rank of the vector while they write to it.
    threads.push_back(roam::spawn([](std::uint64_t& out, std::uint64_t value) { out = value; },
                                  std::ref(results[i]), mix(i)));
  }
  for (roam::Thread thread : threads) thread.join();
  move();
  for (std::uint64_t i = 0; i < 50; ++i) expect_eq(results[i], mix(i), "result of a child");
}

struct Callable {
  Words kept;
  std::string member(const std::string& suffix) const { return kept.at(0) + suffix; }
  void operator()(Mover move, std::string* out) && {
    *out = "rvalue call";
    move();
    expect(kept == words(9), "member of the callable");
  }
};

SURVIVE_CASE(callables_of_every_kind) {
  std::string out;
  Mover stay(Mode::stay, move.seed());
  roam::spawn(Callable{words(9)}, stay, &out).join();
  expect_eq(out, "rvalue call", "what the callable wrote");
  roam::spawn(&Callable::member, Callable{words(9)}, "suffix").join();
  std::function<void(int)> function = [data = words(10), move](int n) mutable {
    move();
    expect(data == words(10) && n == 3, "data of the std::function");
  };
  roam::spawn(function, 3).join();
  roam::spawn(std::move(function), 3).join();
  roam::spawn(roam::moving([data = words(11), move]() mutable {
    expect(data == words(11), "capture of a moved closure");
    Words own(data);
    data = Words();
    move();
    expect(own == words(11), "copy of the capture of a moved closure");
  })).join();
  move();
}

SURVIVE_CASE(memory_of_a_child_after_the_joiner_moved) {
  struct Result {
    Words* list = nullptr;
    char* block = nullptr;
  } result;
  roam::spawn([&result] {
    result.list = new Words(words(12));
    result.block = new char[100000];
    Pattern(13).fill(result.block, 100000);
  }).join();
  move();
  expect(*result.list == words(12), "list that an ended child made");
  Pattern(13).verify(result.block, 100000, "block that an ended child made");
  result.list->push_back("grown by the joiner");
  move();
  delete result.list;
  delete[] result.block;
}

SURVIVE_CASE(names_and_handles) {
  const std::string long_name =
      "a name that is longer than any small buffer " + std::string(300, 'n');
  std::map<std::uint64_t, roam::Thread> by_id;
  for (int i = 0; i < 20; ++i) {
    const std::string name = i % 2 ? long_name : "n" + std::to_string(i);
    const roam::Thread thread =
        roam::spawn(roam::SpawnOptions{.name = name}, [name, move]() mutable {
          expect_eq(roam::this_thread::name(), name, "name");
          move();
          expect_eq(roam::this_thread::name(), name, "name after the move");
        });
    expect(by_id.emplace(thread.id(), thread).second, "ids differ");
  }
  move();
  const roam::Thread self = roam::this_thread::self();
  for (auto& [id, thread] : by_id) {
    expect_eq(thread.id(), id, "id of a handle in the heap");
    expect(thread && thread != self, "a handle is not empty and not this thread's");
    thread.join();
  }
}

}  // namespace
}  // namespace roam_test
