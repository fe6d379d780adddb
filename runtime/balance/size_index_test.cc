#include "runtime/balance/size_index.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "base/test_bytes.h"
#include "runtime/balance/test_tables.h"

namespace roam::balance {
namespace {

TEST(SizeIndex, FindsTheNearestSizesAfterAnyNumberWereTakenOut) {
  std::uint64_t state = test_seed();
  for (int run = 0; run < 100; ++run) {
    const LoadTable table = random_table(&state, {});
    SizeIndex index(table);
    for (std::size_t r = 0; r < table.ranks.size(); ++r) {
      const auto rank = static_cast<std::int32_t>(r);
      std::set<std::pair<double, std::uint32_t>> left;
      for (std::size_t i = 0; i < table.threads.size(); ++i) {
        if (table.threads[i].rank != rank || table.threads[i].load_s == 0) continue;
        left.insert({table.threads[i].load_s, static_cast<std::uint32_t>(i)});
      }
      for (;;) {
        const double size = fraction(&state);
        const auto at = left.lower_bound({size, 0});
        const std::size_t up = index.at_least(rank, size), down = index.below(rank, size);
        ASSERT_EQ(up == SizeIndex::kNone, at == left.end());
        ASSERT_EQ(down == SizeIndex::kNone, at == left.begin());
        if (up != SizeIndex::kNone) {
          ASSERT_EQ(index.thread_at(up), at->second);
          const std::size_t above = index.above(rank, up);
          ASSERT_EQ(above == SizeIndex::kNone, std::next(at) == left.end());
          if (above != SizeIndex::kNone) {
            ASSERT_EQ(index.thread_at(above), std::next(at)->second);
          }
        }
        if (down != SizeIndex::kNone) {
          ASSERT_EQ(index.thread_at(down), std::prev(at)->second);
        }
        if (left.empty()) break;
        const std::size_t out = up != SizeIndex::kNone ? up : down;
        left.erase({table.threads[index.thread_at(out)].load_s, index.thread_at(out)});
        index.take_out(out);
      }
    }
  }
}

}  // namespace
}  // namespace roam::balance
