#include "runtime/balance/size_index.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <utility>

#include "base/test_bytes.h"
#include "runtime/balance/heavy_first.h"
#include "runtime/balance/test_tables.h"

namespace roam::balance {
namespace {

// Class -> bytes and number of each thread of a rank.
using Classes = std::map<int, std::set<std::pair<std::uint64_t, std::uint32_t>>>;

Classes classes_of(const LoadTable& table, std::int32_t rank) {
  Classes classes;
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    const ThreadLoad& thread = table.threads[i];
    if (thread.rank != rank || thread.fixed || thread.load_s == 0) continue;
    classes[size_class(thread.load_s)].insert({thread.bytes, static_cast<std::uint32_t>(i)});
  }
  return classes;
}

TEST(SizeIndex, HasWhatIsLeftOfEachClassTheCheapestFirst) {
  std::uint64_t state = test_seed();
  for (int run = 0; run < 100; ++run) {
    const LoadTable table = random_table(&state, {});
    SizeIndex index(table);
    for (std::int32_t rank = 0; rank < static_cast<std::int32_t>(table.ranks.size()); ++rank) {
      for (Classes left = classes_of(table, rank); !left.empty();) {
        const int top = size_class(fraction(&state) * 2);
        const auto above = left.upper_bound(top);
        const int found = index.class_up_to(rank, top);
        ASSERT_EQ(found == SizeIndex::kNoClass, above == left.begin());
        if (found != SizeIndex::kNoClass) {
          ASSERT_EQ(found, std::prev(above)->first);
        }
        auto& threads = found != SizeIndex::kNoClass ? left[found] : left.begin()->second;
        const int any = found != SizeIndex::kNoClass ? found : left.begin()->first;
        std::size_t place = index.cheapest(rank, any);
        for (const auto& [bytes, thread] : threads) {
          ASSERT_NE(place, SizeIndex::kNone);
          ASSERT_EQ(index.thread_at(place), thread);
          place = index.next(rank, place);
        }
        ASSERT_EQ(place, SizeIndex::kNone);
        // Takes out one from anywhere in the class.
        std::size_t out = index.cheapest(rank, any);
        auto at = threads.begin();
        for (std::uint64_t skip = below(&state, threads.size()); skip != 0; --skip, ++at) {
          out = index.next(rank, out);
        }
        index.take_out(out);
        threads.erase(at);
        if (threads.empty()) left.erase(any);
      }
      ASSERT_EQ(index.class_up_to(rank, 10'000), SizeIndex::kNoClass);
    }
  }
}

}  // namespace
}  // namespace roam::balance
