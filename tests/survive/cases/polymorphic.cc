// Objects whose type is known only at run time: virtual bases, RTTI, pointers to members, code by
// address.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <typeindex>
#include <typeinfo>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

struct Base {
  explicit Base(std::uint64_t v) : base_value(v) {}
  virtual ~Base() = default;
  virtual std::string name() const = 0;
  virtual std::uint64_t value() const { return base_value; }
  std::uint64_t base_value;
};
struct Left : virtual Base {
  explicit Left(std::uint64_t v) : Base(v), left_value(mix(v)) {}
  std::string name() const override { return "left"; }
  std::uint64_t left_value;
};
struct Right : virtual Base {
  explicit Right(std::uint64_t v) : Base(v), right_value(mix(v + 1)) {}
  std::string name() const override { return "right"; }
  std::uint64_t value() const override { return right_value; }
  std::uint64_t right_value;
};
struct Both final : Left, Right {
  explicit Both(std::uint64_t v) : Base(v), Left(v), Right(v), text(std::to_string(v)) {}
  std::string name() const override { return "both"; }
  std::string text;
};
struct Other : Base {
  explicit Other(std::uint64_t v) : Base(v) {}
  std::string name() const override { return "other"; }
};

SURVIVE_CASE(polymorphic_objects_with_virtual_bases) {
  Random rng(move.seed());
  std::vector<std::unique_ptr<Base>> objects;
  for (int i = 0; i < 500; ++i) {
    const std::uint64_t v = rng.next();
    switch (i % 4) {
      case 0:
        objects.push_back(std::make_unique<Left>(v));
        break;
      case 1:
        objects.push_back(std::make_unique<Right>(v));
        break;
      case 2:
        objects.push_back(std::make_unique<Both>(v));
        break;
      case 3:
        objects.push_back(std::make_unique<Other>(v));
        break;
    }
  }
  move();
  Random again(move.seed());
  for (int i = 0; i < 500; ++i) {
    static constexpr const char* kNames[] = {"left", "right", "both", "other"};
    const std::uint64_t v = again.next();
    Base* object = objects[i].get();
    const bool has_right = i % 4 == 1 || i % 4 == 2;
    expect_eq(object->name(), kNames[i % 4], "virtual name()");
    expect_eq(object->value(), has_right ? mix(v + 1) : v, "virtual value()");
    expect_eq(object->base_value, v, "member of the virtual base");
  }
}

SURVIVE_CASE(rtti_and_dynamic_cast) {
  std::unique_ptr<Base> both = std::make_unique<Both>(move.seed());
  std::unique_ptr<Base> other = std::make_unique<Other>(move.seed());
  // What typeid looks at is named before: with a call in it, compilers warn that it is evaluated.
  const Base& the_both = *both;
  const Base& the_other = *other;
  const std::type_info& type = typeid(the_both);
  std::unordered_map<std::type_index, std::string> names{{typeid(Both), "Both"},
                                                         {typeid(Other), "Other"}};
  Left* left = dynamic_cast<Left*>(both.get());
  move();
  expect(dynamic_cast<Left*>(both.get()) == left, "down-cast from a virtual base");
  Right* right = dynamic_cast<Right*>(left);
  expect(right != nullptr && right->right_value == mix(move.seed() + 1), "cross-cast");
  expect_eq(dynamic_cast<Both&>(*right).text, std::to_string(move.seed()),
            "down-cast to the whole");
  expect(dynamic_cast<void*>(right) == dynamic_cast<void*>(left), "cast to the whole object");
  expect(dynamic_cast<Left*>(other.get()) == nullptr, "a cast to a type that it is not");
  expect_throws<std::bad_cast>([&] { (void)dynamic_cast<Both&>(*other); }, "bad dynamic_cast");
  expect(type == typeid(Both), "type_info taken before the move");
  expect_eq(names.at(typeid(the_both)), "Both", "name under a type_index");
  expect_eq(names.at(typeid(the_other)), "Other", "name under a type_index");
}

SURVIVE_CASE(pointers_to_members) {
  std::uint64_t Base::*plain = &Base::base_value;
  std::uint64_t Right::*right_member = &Right::right_value;
  std::uint64_t (Base::*virtual_function)() const = &Base::value;
  std::string (Base::*name)() const = &Base::name;
  auto both = std::make_unique<Both>(move.seed());
  auto bound = std::mem_fn(virtual_function);
  move();
  expect_eq((*both).*plain, move.seed(), "member of a virtual base by pointer");
  expect_eq((*both).*right_member, mix(move.seed() + 1), "member of the second base by pointer");
  Base& base = *both;
  expect_eq((base.*virtual_function)(), mix(move.seed() + 1), "virtual function by pointer");
  expect_eq((base.*name)(), "both", "pure virtual function by pointer");
  expect_eq(bound(base), mix(move.seed() + 1), "mem_fn");
}

// Moves while its own constructor runs, and in its destructor: the vtable is that of the class
// under construction.
struct MovesInside : Base {
  MovesInside(Mover& m, std::string* log) : Base(m.seed()), move(m), log_(log) {
    *log_ += name();
    move();
    *log_ += name();
  }
  ~MovesInside() override {
    move();
    *log_ += name();
  }
  std::string name() const override { return "outer;"; }
  Mover& move;
  std::string* log_;
};
struct MovesInsideToo final : MovesInside {
  MovesInsideToo(Mover& m, std::string* log) : MovesInside(m, log) {
    *log_ += name();
    move();
    *log_ += name();
  }
  ~MovesInsideToo() override {
    move();
    *log_ += name();
  }
  std::string name() const override { return "inner;"; }
};

SURVIVE_CASE(move_inside_constructors_and_destructors) {
  std::string log;
  std::unique_ptr<Base> object = std::make_unique<MovesInsideToo>(move, &log);
  object.reset();
  expect_eq(log, "outer;outer;inner;inner;inner;outer;", "what name() was, in turn");
}

std::uint64_t twice(std::uint64_t x) { return 2 * x; }
std::uint64_t square(std::uint64_t x) { return x * x; }

SURVIVE_CASE(function_pointers) {
  std::uint64_t (*functions[])(std::uint64_t) = {twice, square, mix,
                                                 [](std::uint64_t x) { return x + 7; }};
  double (*from_libm)(double) = std::sin;
  void* (*from_libc)(void*, const void*, std::size_t) = std::memcpy;
  move();
  expect_eq(functions[0](21), std::uint64_t{42}, "a function by pointer");
  expect_eq(functions[1](9), std::uint64_t{81}, "a function by pointer");
  expect_eq(functions[2](5), mix(5), "an inline function by pointer");
  expect_eq(functions[3](5), std::uint64_t{12}, "a lambda by pointer");
  expect(functions[0] == twice && from_libm == static_cast<double (*)(double)>(std::sin),
         "functions have the addresses that they had");
  expect_eq(from_libm(0.5), std::sin(0.5), "a function of libm by pointer");
  int a = 5, b = 0;
  from_libc(&b, &a, sizeof(a));
  expect_eq(b, 5, "what a function of libc, by pointer, copied");
}

SURVIVE_CASE(std_functions_and_lambdas) {
  Random rng(move.seed());
  std::string text = rng.text(50);
  std::vector<std::function<std::uint64_t(std::uint64_t)>> functions;
  functions.emplace_back(twice);
  functions.emplace_back([big = std::vector<std::uint64_t>(100, move.seed())](std::uint64_t i) {
    return big[i];  // too large for the function's own space: in the heap
  });
  functions.emplace_back([&text](std::uint64_t i) { return static_cast<std::uint64_t>(text[i]); });
  functions.emplace_back(
      [count = std::uint64_t{0}](std::uint64_t i) mutable { return count += i; });
  functions.emplace_back(std::bind(std::plus<>(), std::placeholders::_1, move.seed()));
  functions.emplace_back(functions[3]);
  functions[3](10);
  std::function<std::uint64_t(int)> fibonacci = [&](int n) -> std::uint64_t {
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
  };
  move();
  expect_eq(functions[0](21), std::uint64_t{42}, "function of a pointer");
  expect_eq(functions[1](99), move.seed(), "function with a capture in the heap");
  expect_eq(functions[2](7), static_cast<std::uint64_t>(text[7]),
            "function that refers to the frame");
  expect_eq(functions[3](5), std::uint64_t{15}, "function with state");
  expect_eq(functions[4](1), move.seed() + 1, "a bind");
  expect_eq(functions[5](5), std::uint64_t{5}, "copy of the function with state");
  expect_eq(fibonacci(15), std::uint64_t{610},
            "a function that calls itself through its reference");
  expect(functions[0].target_type() == typeid(std::uint64_t(*)(std::uint64_t)), "target_type");
  expect(*functions[0].target<std::uint64_t (*)(std::uint64_t)>() == twice, "target");
}

}  // namespace
}  // namespace roam_test
