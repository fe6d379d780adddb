// priority_queue, stack, queue; optional, variant, any, tuple, pair; pmr on own buffers.
#include <any>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <queue>
#include <stack>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"
#include "tests/survive/cases/like_new.h"

namespace roam_test {
namespace {

SURVIVE_CASE(priority_queue) {
  auto later = [](const std::string& a, const std::string& b) { return a > b; };
  std::priority_queue<std::string, std::vector<std::string>, decltype(later)> queue(later);
  Random rng(move.seed());
  for (int i = 0; i < 2000; ++i) queue.push(rng.text(20));
  std::string last;
  for (int i = 0; i < 4000; ++i) {
    if (i % 1000 == 500) move();
    if (i < 2000 && i % 2 == 0) queue.push("~" + rng.text(20));  // behind all that were there
    if (queue.empty()) break;
    expect(last <= queue.top(), "strings leave in order");
    last = queue.top();
    queue.pop();
  }
}

SURVIVE_CASE(stack_and_queue) {
  Random rng(move.seed());
  std::stack<std::uint64_t> stack;
  std::queue<std::uint64_t> queue;
  std::stack<std::string, std::vector<std::string>> words;
  for (int i = 0; i < 3000; ++i) {
    const std::uint64_t value = rng.next();
    stack.push(value);
    queue.push(value);
    words.push(std::to_string(value));
  }
  move();
  std::vector<std::uint64_t> values;
  while (!queue.empty()) {
    values.push_back(queue.front());
    queue.pop();
  }
  Random again(move.seed());
  for (std::uint64_t value : values) expect_eq(value, again.next(), "value out of the queue");
  for (auto at = values.rbegin(); at != values.rend(); ++at) {
    expect_eq(stack.top(), *at, "value off the stack");
    expect_eq(words.top(), std::to_string(*at), "word off the stack");
    stack.pop();
    words.pop();
  }
  expect(stack.empty() && words.empty(), "both stacks are empty");
}

SURVIVE_CASE(optional) {
  expect_like_new(
      move,
      [](Random& rng) {
        std::vector<std::optional<std::string>> v(500);
        for (auto& o : v) {
          if (rng.one_in(2)) o = rng.text(rng.below(40));
        }
        return v;
      },
      [](auto& v, Random& rng) {
        for (auto& o : v) {
          if (o) {
            o.reset();
          } else {
            o.emplace(rng.text(rng.below(40)));
          }
        }
      });
}

SURVIVE_CASE(variant) {
  using Value = std::variant<std::monostate, int, double, std::string, std::vector<int>>;
  auto random_value = [](Random& rng) -> Value {
    switch (rng.below(5)) {
      case 0:
        return std::monostate{};
      case 1:
        return static_cast<int>(rng.next());
      case 2:
        return static_cast<double>(rng.next());
      case 3:
        return rng.text(rng.below(50));
      default:
        return std::vector<int>(rng.below(50), static_cast<int>(rng.next()));
    }
  };
  expect_like_new(
      move,
      [&](Random& rng) {
        std::vector<Value> v(1000);
        for (Value& x : v) x = random_value(rng);
        return v;
      },
      [&](auto& v, Random& rng) {
        for (Value& x : v) x = random_value(rng);
      });
}

SURVIVE_CASE(any) {
  Random rng(move.seed());
  std::vector<std::any> v;
  for (int i = 0; i < 500; ++i) {
    v.emplace_back(rng.next());
    v.emplace_back(rng.text(30));
    v.emplace_back(std::vector<std::uint64_t>(20, rng.next()));
  }
  move();
  Random again(move.seed());
  for (std::size_t i = 0; i < v.size(); i += 3) {
    expect_eq(std::any_cast<std::uint64_t>(v[i]), again.next(), "the number in an any");
    expect_eq(std::any_cast<const std::string&>(v[i + 1]), again.text(30), "the string in an any");
    expect_eq(std::any_cast<const std::vector<std::uint64_t>&>(v[i + 2])[19], again.next(),
              "the vector in an any");
    // any compares the address of a function and type_info: both are in the image.
    expect(std::any_cast<int>(&v[i]) == nullptr, "an any does not give another type");
    expect_throws<std::bad_any_cast>([&] { (void)std::any_cast<double>(v[i + 1]); },
                                     "bad any_cast");
    v[i].reset();
  }
}

SURVIVE_CASE(tuple_and_pair) {
  expect_like_new(
      move,
      [](Random& rng) {
        using Tuple = std::tuple<std::string, std::uint64_t, std::pair<std::vector<char>, double>>;
        std::vector<Tuple> v;
        for (int i = 0; i < 300; ++i) {
          const std::string text = rng.text(rng.below(100));
          v.emplace_back(text, rng.next(),
                         std::pair(std::vector<char>(text.begin(), text.end()), 1.0 / (i + 1)));
        }
        return v;
      },
      [](auto& v, Random& rng) {
        for (auto& [text, number, pair] : v) {
          pair.first.assign(100, 'x');
          pair.second *= 3;
          number = rng.next();
          text += std::to_string(number);
        }
      });
}

SURVIVE_CASE(tuple_of_references_to_the_frame) {
  Random rng(move.seed());
  std::string text = rng.text(100);
  std::uint64_t number = rng.next();
  auto both = std::tie(text, number);
  move();
  expect_eq(&std::get<0>(both), &text, "address of the string referred to");
  std::get<1>(both) += 1;
  Random again(move.seed());
  expect_eq(text, again.text(100), "the string");
  expect_eq(number, again.next() + 1, "the number, changed through its reference");
}

SURVIVE_CASE(pmr_on_a_buffer_in_the_frame_and_on_pools) {
  Random rng(move.seed());
  std::array<std::byte, 16384> buffer;
  // The buffer overflows after a while: then the resource goes on in the heap.
  std::pmr::monotonic_buffer_resource arena(buffer.data(), buffer.size());
  std::pmr::unsynchronized_pool_resource pool(&arena);
  std::pmr::unsynchronized_pool_resource heap_pool;
  std::pmr::vector<std::pmr::string> words(&arena);
  std::pmr::map<std::uint64_t, std::pmr::string> map(&pool);
  std::pmr::unordered_map<std::uint64_t, std::pmr::string> hashed(&heap_pool);
  for (int i = 0; i < 400; ++i) {
    if (i % 100 == 50) move();
    const std::string text = rng.text(rng.below(60));
    words.emplace_back(text);
    map.emplace(i, text);
    hashed.emplace(i, text);
    if (i % 3 == 0) map.erase(i / 2);
  }
  move();
  Random again(move.seed());
  for (int i = 0; i < 400; ++i) {
    const std::string text = again.text(again.below(60));
    expect(std::string_view(words[i]) == text, "string in the monotonic buffer");
    expect(std::string_view(hashed.at(i)) == text, "string in the heap's pool");
    if (auto at = map.find(i); at != map.end())
      expect(std::string_view(at->second) == text, "string in the pool");
  }
}

}  // namespace
}  // namespace roam_test
