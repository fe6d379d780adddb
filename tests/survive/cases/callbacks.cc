// Moves from inside a call of the C library or of an algorithm: the callee's frames and temporaries
// go along.
#include <obstack.h>
#include <search.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <numeric>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

std::vector<std::uint64_t> numbers(std::uint64_t seed, std::size_t count) {
  Random rng(seed);
  std::vector<std::uint64_t> result(count);
  for (auto& x : result) x = rng.next();
  return result;
}

struct Comparing {
  Mover* move;
  std::size_t calls;
};

int compare(const void* a, const void* b, void* context) {
  auto* comparing = static_cast<Comparing*>(context);
  if (++comparing->calls % 20000 == 10000) (*comparing->move)();
  const auto x = *static_cast<const std::uint64_t*>(a), y = *static_cast<const std::uint64_t*>(b);
  return x < y ? -1 : x > y;
}

int compare_plain(const void* a, const void* b) {
  const auto x = *static_cast<const std::uint64_t*>(a), y = *static_cast<const std::uint64_t*>(b);
  return x < y ? -1 : x > y;
}

// ThreadSanitizer has a qsort of its own, which keeps the comparison in its process.
#ifndef __SANITIZE_THREAD__
// qsort works in a buffer that it allocates.
SURVIVE_CASE(qsort_whose_comparison_moves) {
  auto values = numbers(move.seed(), 5000);
  auto want = values;
  std::sort(want.begin(), want.end());
  Comparing comparing{&move, 0};
  qsort_r(values.data(), values.size(), sizeof(values[0]), compare, &comparing);
  expect(values == want, "the numbers are sorted");
  move();
  for (std::size_t i = 0; i < want.size(); i += 777) {
    const void* found = std::bsearch(&want[i], values.data(), values.size(), 8, compare_plain);
    expect_eq(found, static_cast<const void*>(&values[i]), "place that bsearch found");
  }
}
#endif

SURVIVE_CASE(sort_whose_comparison_moves) {
  auto values = numbers(move.seed(), 5000);
  auto want = values;
  std::sort(want.begin(), want.end());
  std::size_t calls = 0;
  auto less = [&](std::uint64_t a, std::uint64_t b) {
    if (++calls % 30000 == 15000) move();
    return a < b;
  };
  auto stable = values;
  std::sort(values.begin(), values.end(), less);
  expect(values == want, "the numbers are sorted");
  std::stable_sort(stable.begin(), stable.end(), less);  // allocates a buffer
  expect(stable == want, "the numbers are stably sorted");
}

SURVIVE_CASE(algorithms_whose_functions_move) {
  auto values = numbers(move.seed(), 3000);
  std::uint64_t sum = 0;
  std::size_t at = 0;
  std::for_each(values.begin(), values.end(), [&](std::uint64_t x) {
    if (at++ == 1500) move();
    sum += x;
  });
  expect_eq(sum, std::accumulate(values.begin(), values.end(), std::uint64_t{0}), "sum");
  std::vector<std::string> texts;
  std::transform(values.begin(), values.end(), std::back_inserter(texts), [&](std::uint64_t x) {
    if (texts.size() == 1000) move();
    return std::to_string(x);
  });
  for (std::size_t i = 0; i < 3000; ++i) expect_eq(texts[i], std::to_string(values[i]), "a text");
}

std::vector<std::uint64_t>* walked;

void visit(const void* node, VISIT visit, int) {
  if (visit == postorder || visit == leaf) {
    walked->push_back(**static_cast<const std::uint64_t* const*>(node));
  }
}

// The tree's nodes are malloc'ed by libc.
SURVIVE_CASE(tree_of_tsearch) {
  const auto values = numbers(move.seed(), 2000);
  void* root = nullptr;
  for (const auto& x : values) tsearch(&x, &root, compare_plain);
  move();
  std::vector<std::uint64_t> seen;
  walked = &seen;  // a global: set, used and cleared between two moves
  twalk(root, visit);
  walked = nullptr;
  auto want = values;
  std::sort(want.begin(), want.end());
  expect(seen == want, "a walk over the tree gives the numbers in order");
  for (const auto& x : values) {
    expect(tfind(&x, &root, compare_plain) != nullptr, "a number is found");
    tdelete(&x, &root, compare_plain);
  }
  expect(root == nullptr, "the tree is empty");
}

SURVIVE_CASE(hash_table_of_hsearch) {
  hsearch_data table{};
  expect(hcreate_r(3000, &table) != 0, "hcreate");
  std::vector<std::string> keys;
  for (std::uint64_t x : numbers(move.seed(), 2000)) keys.push_back(std::to_string(x));
  ENTRY* found;
  for (std::string& key : keys) hsearch_r({key.data(), &key}, ENTER, &found, &table);
  move();
  for (std::string& key : keys) {
    std::string copy = key;
    hsearch_r({copy.data(), nullptr}, FIND, &found, &table);
    expect(found != nullptr && found->data == &key, "what is under a key");
  }
  hdestroy_r(&table);
}

#define obstack_chunk_alloc std::malloc
#define obstack_chunk_free std::free

SURVIVE_CASE(obstack_in_the_middle_of_an_object) {
  obstack stack;
  obstack_init(&stack);
  std::vector<char*> grown;
  for (int i = 0; i < 500; ++i) {
    const std::string text(i, static_cast<char>('a' + i % 26));
    obstack_grow(&stack, text.data(), text.size());
    if (i % 200 == 100) move();  // while an object grows
    obstack_1grow(&stack, '\0');
    grown.push_back(static_cast<char*>(obstack_finish(&stack)));
  }
  move();
  for (int i = 0; i < 500; ++i) {
    expect_eq(std::string(grown[i]), std::string(i, static_cast<char>('a' + i % 26)), "a string");
  }
  obstack_free(&stack, nullptr);
}

}  // namespace
}  // namespace roam_test
