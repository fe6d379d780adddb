// A program that brings its own operator new and delete, in the plain form only: all other forms
// call those, in threads and in plain code.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"

// <new> has them only where the compiler calls them by itself, as Clang 14 does not.
void operator delete(void* block, std::size_t bytes) noexcept;
void operator delete[](void* block, std::size_t bytes) noexcept;

namespace {

using roam_test::expect;
using roam_test::expect_eq;

// Before each block: what was given is not what malloc gave.
struct alignas(16) Head {
  std::uint64_t mark;
};
constexpr std::uint64_t kLive = 0x1157'1157, kFreed = 0xdead;
constexpr std::size_t kRefused = 12'345;

}  // namespace

#ifndef __clang__
#pragma GCC diagnostic ignored "-Wsized-deallocation"  // that it is missing is what this is about
#endif
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (bytes == kRefused) throw 7;
  auto* head = static_cast<Head*>(std::malloc(sizeof(Head) + bytes));
  if (head == nullptr) throw std::bad_alloc();
  head->mark = kLive;
  return head + 1;
}
[[gnu::noinline]] void operator delete(void* block) noexcept {
  if (block == nullptr) return;
  Head* head = static_cast<Head*>(block) - 1;
  if (head->mark != kLive) std::abort();
  head->mark = kFreed;
  std::free(head);
}

namespace {

template <class T>
T* live(T* block) {
  asm("" : "+r"(block));  // compilers know what lies before a block, of others' operator new
  expect_eq((reinterpret_cast<const Head*>(block) - 1)->mark, kLive, "the mark of a block");
  return block;
}

void use_all_forms(void (*move)()) {
  int* one = live(new int(5));
  int* many = live(new int[100]);
  int* quiet = live(new (std::nothrow) int(6));
  auto* quiet_many = live(new (std::nothrow) std::uint64_t[50]);
  void* sized = live(operator new(100));
  void* sized_many = live(operator new[](100));
  move();
  expect_eq(*live(one) + *live(quiet), 11, "the numbers");
  delete one;
  delete[] many;
  delete quiet;
  delete[] quiet_many;
  operator delete (sized, std::size_t{100});
  operator delete[](sized_many, std::size_t{100});
  operator delete(live(operator new(20)), std::nothrow);
  operator delete[](live(operator new[](20)), std::nothrow);
  expect(operator new(kRefused, std::nothrow) == nullptr, "what new throws, nothrow catches");
  expect(operator new[](kRefused, std::nothrow) == nullptr, "new[] too");

  std::vector<std::string> words;
  for (int i = 0; i < 500; ++i)
    words.push_back("a word that is longer than a string's own room " +
                    std::to_string(i * 7 % 500));
  move();
  std::stable_sort(words.begin(), words.end());
  expect(std::is_sorted(words.begin(), words.end()), "the order");
  move();

  // Those with an alignment are another family, which the program has not replaced.
  struct alignas(64) Line {
    char bytes[64];
  };
  const auto line = std::make_unique<Line>();
  const auto lines = std::make_unique<Line[]>(3);
  move();
  expect_eq(reinterpret_cast<std::uintptr_t>(line.get()) % 64, std::uintptr_t{0}, "alignment");
  expect_eq(reinterpret_cast<std::uintptr_t>(lines.get()) % 64, std::uintptr_t{0}, "alignment");
}

}  // namespace

int main(int argc, char** argv) {
  use_all_forms([] {});
  const int result = roam::run(argc, argv, [] {
    for (int i = 0; i < 4; ++i) {
      roam::spawn([] {
        use_all_forms([] { roam::this_thread::migrate((roam::rank() + 1) % roam::ranks()); });
      }).join();
    }
  });
  use_all_forms([] {});
  return result;
}
