// vector, string, deque, list, forward_list, array, valarray, bitset.
#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <deque>
#include <forward_list>
#include <iterator>
#include <list>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <valarray>
#include <vector>

#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"
#include "tests/survive/cases/like_new.h"

namespace roam_test {
namespace {

SURVIVE_CASE(vector_of_words) {
  expect_like_new(
      move,
      [](Random& rng) {
        std::vector<std::uint64_t> v;
        for (int i = 0; i < 10000; ++i) v.push_back(rng.next());
        return v;
      },
      [](auto& v, Random& rng) {
        v.erase(v.begin() + 100, v.begin() + 5000);
        for (int i = 0; i < 20000; ++i) v.push_back(rng.next());
        v.shrink_to_fit();
      });
}

SURVIVE_CASE(vector_of_bools) {
  expect_like_new(
      move,
      [](Random& rng) {
        std::vector<bool> v;
        for (int i = 0; i < 10007; ++i) v.push_back(rng.one_in(3));
        return v;
      },
      [](auto& v, Random& rng) {
        v.flip();
        for (int i = 0; i < 1001; ++i) v.insert(v.begin() + 5, rng.one_in(2));
      });
}

SURVIVE_CASE(strings_short_and_long) {
  expect_like_new(
      move,
      [](Random& rng) {
        std::vector<std::string> v;  // short ones point into themselves
        for (int i = 0; i < 1000; ++i) v.push_back(rng.text(rng.below(40)));
        v.push_back(rng.text(1 << 20));
        return v;
      },
      [](auto& v, Random& rng) {
        for (std::string& s : v) s += rng.text(rng.below(20));
        std::sort(v.begin(), v.end());
        for (std::string& s : v) s.shrink_to_fit();
      });
}

SURVIVE_CASE(wide_strings) {
  expect_like_new(
      move,
      [](Random& rng) {
        std::vector<std::u32string> v(300);
        for (auto& s : v) {
          for (std::uint64_t i = rng.below(50); i > 0; --i)
            s += static_cast<char32_t>(rng.below(0x10ffff));
        }
        return v;
      },
      [](auto& v, Random& rng) {
        for (auto& s : v) s.insert(0, rng.below(9), U'\u00e9');
      });
}

SURVIVE_CASE(deque_used_at_both_ends) {
  expect_like_new(
      move,
      [](Random& rng) {
        std::deque<std::string> d;
        for (int i = 0; i < 3000; ++i) {
          if (rng.one_in(2)) {
            d.push_back(rng.text(rng.below(30)));
          } else {
            d.push_front(rng.text(rng.below(30)));
          }
        }
        return d;
      },
      [](auto& d, Random& rng) {
        for (int i = 0; i < 2000; ++i) {
          d.pop_front();
          d.push_back(rng.text(rng.below(30)));
        }
      });
}

SURVIVE_CASE(list_spliced_and_sorted) {
  expect_like_new(
      move,
      [](Random& rng) {
        std::list<std::uint64_t> l;
        for (int i = 0; i < 3000; ++i) l.push_back(rng.next());
        return l;
      },
      [](auto& l, Random& rng) {
        std::list<std::uint64_t> more;
        for (int i = 0; i < 500; ++i) more.push_front(rng.next());
        l.splice(std::next(l.begin(), 700), more);
        l.sort();
        l.remove_if([](std::uint64_t x) { return x % 3 == 0; });
        l.reverse();
      });
}

SURVIVE_CASE(forward_list) {
  expect_like_new(
      move,
      [](Random& rng) {
        std::forward_list<std::string> l;
        for (int i = 0; i < 2000; ++i) l.push_front(rng.text(rng.below(30)));
        return l;
      },
      [](auto& l, Random& rng) {
        l.sort();
        for (int i = 0; i < 100; ++i) l.insert_after(l.before_begin(), rng.text(20));
        l.unique();
      });
}

SURVIVE_CASE(array_in_the_frame_and_array_in_the_heap) {
  using Block = std::array<std::uint64_t, 1000>;
  Random rng(move.seed());
  Block frame;
  auto heap = std::make_unique<std::array<Block, 20>>();
  for (auto& x : frame) x = rng.next();
  for (Block& block : *heap) std::generate(block.begin(), block.end(), [&] { return rng.next(); });
  move();
  Random again(move.seed());
  for (auto x : frame) expect_eq(x, again.next(), "element of the array in the frame");
  for (const Block& block : *heap) {
    for (auto x : block) expect_eq(x, again.next(), "element of the array in the heap");
  }
}

SURVIVE_CASE(valarray_and_its_slices) {
  Random rng(move.seed());
  std::valarray<double> values(10000);
  for (double& x : values) x = static_cast<double>(rng.next() >> 11) * 0x1p-53;
  const std::valarray<double> copy = values;
  const std::slice every_seventh(3, 1000, 7);
  move();
  expect((values == copy).min(), "every element is as before");
  const std::valarray<double> part = values[every_seventh];
  for (std::size_t i = 0; i < part.size(); ++i)
    expect_eq(part[i], copy[3 + 7 * i], "sliced element");
  values[every_seventh] = std::sqrt(part);
  values *= 2.0;
  move();
  expect_eq(values[3], 2 * std::sqrt(copy[3]), "element in the slice, after arithmetic");
  expect_eq(values[4], 2 * copy[4], "element beside the slice, after arithmetic");
}

SURVIVE_CASE(bitset) {
  expect_like_new(
      move,
      [](Random& rng) {
        auto bits = std::bitset<4099>();
        for (int i = 0; i < 2000; ++i) bits.flip(rng.below(4099));
        return bits;
      },
      [](auto& bits, Random& rng) { bits = (bits << rng.below(70)) ^ (bits >> rng.below(70)); });
}

SURVIVE_CASE(spans_and_iterators_into_own_memory) {
  Random rng(move.seed());
  std::vector<std::uint64_t> v(5000);
  for (auto& x : v) x = rng.next();
  std::list<std::uint64_t> l(v.begin(), v.end());
  std::uint64_t in_frame[64];
  std::copy_n(v.begin(), 64, in_frame);
  const std::span<std::uint64_t> middle(v.data() + 1000, 500);
  const std::span<std::uint64_t, 64> frame(in_frame);
  auto vector_at = v.begin() + 1234;
  auto list_at = std::next(l.begin(), 2345);
  auto list_end = l.end();  // points into the frame
  move();
  Random again(move.seed());
  std::vector<std::uint64_t> want(5000);
  for (auto& x : want) x = again.next();
  expect(std::equal(middle.begin(), middle.end(), want.begin() + 1000), "the span over the vector");
  expect(std::equal(frame.begin(), frame.end(), want.begin()), "the span over the frame");
  expect_eq(*vector_at, want[1234], "what the vector's iterator points at");
  expect_eq(*list_at, want[2345], "what the list's iterator points at");
  expect(std::equal(list_at, list_end, want.begin() + 2345), "from the list's iterator to its end");
  list_at = l.erase(list_at);
  expect_eq(*list_at, want[2346], "what follows an element erased through its iterator");
}

}  // namespace
}  // namespace roam_test
