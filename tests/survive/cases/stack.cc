// What lives in a stack: alloca, variable-length and over-aligned arrays, deep frames, registers.
#include <alloca.h>

#include <cstdarg>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

SURVIVE_CASE(memory_from_alloca) {
  void* blocks[50];
  for (int i = 0; i < 50; ++i) {
    const std::size_t bytes = 16 + 37 * i;
    blocks[i] = alloca(bytes);
    Pattern(move.seed() + i).fill(blocks[i], bytes);
    if (i == 25) move();
  }
  move();
  for (int i = 0; i < 50; ++i) {
    Pattern(move.seed() + i).verify(blocks[i], 16 + 37 * i, "block from alloca");
  }
}

// C++ has none; compilers do.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wvla"
[[gnu::noinline]] void variable_length(Mover& move, std::size_t count) {
  std::uint64_t values[count];
  char text[count * 2];
  Pattern(move.seed()).fill(values, sizeof(values));
  std::memset(text, 'q', sizeof(text));
  move();
  Pattern(move.seed()).verify(values, sizeof(values), "variable-length array");
  for (char c : std::string_view(text, sizeof(text))) expect_eq(c, 'q', "character of the text");
  if (count >= 4) variable_length(move, count / 4);
}
#pragma GCC diagnostic pop

SURVIVE_CASE(variable_length_arrays) { variable_length(move, 4000); }

SURVIVE_CASE(over_aligned_locals) {
  struct alignas(64) Line {
    std::uint64_t words[8];
  };
  alignas(4096) unsigned char page[4096];
  Line lines[5];
  Pattern(move.seed()).fill(page, sizeof(page));
  Pattern(move.seed() + 1).fill(lines, sizeof(lines));
  move();
  expect_eq(reinterpret_cast<std::uintptr_t>(page) % 4096, std::uintptr_t{0}, "page's offset");
  expect_eq(reinterpret_cast<std::uintptr_t>(lines) % 64, std::uintptr_t{0}, "lines' offset");
  Pattern(move.seed()).verify(page, sizeof(page), "page in the frame");
  Pattern(move.seed() + 1).verify(lines, sizeof(lines), "lines in the frame");
}

// Each frame verifies itself on the way up, and what its callee returns.
[[gnu::noinline]] std::uint64_t descend(Mover& move, int depth, const std::uint64_t* callers) {
  std::uint64_t mine[24];
  const std::uint64_t seed = move.seed() + static_cast<std::uint64_t>(depth);
  Pattern(seed).fill(mine, sizeof(mine));
  const std::uint64_t from_caller = *callers;
  std::uint64_t below = 0;
  if (depth == 0) {
    move();
  } else {
    below = descend(move, depth - 1, mine + depth % 24);
  }
  Pattern(seed).verify(mine, sizeof(mine), "array in a frame");
  expect_eq(*callers, from_caller, "word of the caller's frame");
  return mix(below ^ mine[3]);
}

std::uint64_t descent_of(std::uint64_t seed, int depth) {
  std::uint64_t result = 0;
  for (int i = 0; i <= depth; ++i) {
    std::uint64_t frame[24];
    Pattern(seed + static_cast<std::uint64_t>(i)).fill(frame, sizeof(frame));
    result = mix(result ^ frame[3]);
  }
  return result;
}

SURVIVE_CASE(recursion_500_deep) {
  const std::uint64_t start = 1;
  expect_eq(descend(move, 500, &start), descent_of(move.seed(), 500), "what the frames returned");
}

// 40,000 frames: about 14 MiB of stack in use while it moves. ThreadSanitizer knows 4,096 that were
// entered elsewhere (docs/decisions/0042-compilers-and-threadsanitizer.md).
#ifdef __SANITIZE_THREAD__
constexpr int kDeep = 3'000;
#else
constexpr int kDeep = 40'000;
#endif
SURVIVE_CASE(big_stack_used_deep, .stack_bytes = 32 << 20) {
  const std::uint64_t start = 1;
  expect_eq(descend(move, kDeep, &start), descent_of(move.seed(), kDeep),
            "what the frames returned");
}

[[gnu::noinline]] std::uint64_t touch(std::size_t bytes, std::uint64_t seed) {
  std::vector<unsigned char> want(bytes);
  auto* deep = static_cast<unsigned char*>(alloca(bytes));
  Pattern(seed).fill(deep, bytes);
  Pattern(seed).verify(deep, bytes, "block deep in the stack");
  return deep[bytes / 2];
}

// What lies below the stack pointer is dead, and need not move; what is used again there must work.
SURVIVE_CASE(stack_that_was_deep_before_the_move_and_is_again, .stack_bytes = 16 << 20) {
  const std::uint64_t before = touch(12 << 20, move.seed());
  move();
  expect_eq(touch(12 << 20, move.seed()), before, "byte deep in the stack");
}

[[gnu::noinline]] std::uint64_t sum_of(Mover& move, int count, ...) {
  va_list list, copy;
  va_start(list, count);
  std::uint64_t sum = 0;
  for (int i = 0; i < count / 2; ++i) sum += va_arg(list, std::uint64_t);
  va_copy(copy, list);
  move();
  for (int i = count / 2; i < count; ++i) sum += va_arg(list, std::uint64_t);
  for (int i = count / 2; i < count; ++i) sum += 2 * va_arg(copy, std::uint64_t);
  va_end(copy);
  va_end(list);
  return sum;
}

SURVIVE_CASE(variadic_arguments_half_read) {
  const std::uint64_t got = sum_of(move, 10, 1ul, 2ul, 3ul, 4ul, 5ul, 6ul, 7ul, 8ul, 9ul, 10ul);
  expect_eq(got, std::uint64_t{15 + 3 * 40}, "sum of the arguments");
}

// Enough live values that callee-saved registers, vector registers and spill slots are all in use.
SURVIVE_CASE(values_in_registers) {
  std::uint64_t i[14];
  double d[20];
  float f[20];
  Random rng(move.seed());
  for (auto& x : i) x = rng.next();
  for (auto& x : d) x = static_cast<double>(rng.next());
  for (auto& x : f) x = static_cast<float>(rng.next());
  auto sums = [&] {
    std::uint64_t a = 0;
    double b = 0;
    float c = 0;
    for (auto x : i) a = mix(a ^ x);
    for (auto x : d) b = b / 2 + x;
    for (auto x : f) c = c / 2 + x;
    return std::tuple(a, b, c);
  };
  const auto want = sums();
  for (int round = 0; round < 3; ++round) {
    move();
    expect(sums() == want, "sums over the values");
  }
}

struct Big {
  std::uint64_t words[100];
};

[[gnu::noinline]] Big returned(Mover& move) {
  Big big;  // written to where the caller wants it
  Pattern(move.seed()).fill(&big, sizeof(big) / 2);
  move();
  Pattern(move.seed()).fill(big.words + 50, sizeof(big) / 2, sizeof(big) / 2);
  return big;
}

SURVIVE_CASE(large_value_returned_through_the_callers_frame) {
  const Big big = returned(move);
  Pattern(move.seed()).verify(&big, sizeof(big), "value returned");
}

}  // namespace
}  // namespace roam_test
