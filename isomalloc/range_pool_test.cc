#include "isomalloc/range_pool.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <random>
#include <vector>

#include "base/os/memory.h"
#include "base/test_bytes.h"
#include "isomalloc/test_arena.h"

namespace roam::iso {
namespace {

constexpr std::size_t kArenaBytes = std::size_t{1} << 30;

// Leases of a job, handed out in order; as many as it has.
class FakeSource : public LeaseSource {
 public:
  explicit FakeSource(std::size_t leases) : left_(leases) {}
  std::optional<LeaseRun> request(Region region, std::size_t count) override {
    ++requests_;
    if (count > left_) return std::nullopt;
    left_ -= count;
    const LeaseRun run{region, next_, count};
    next_ += count;
    return run;
  }
  // One range a time of what others have.
  bool collect(Region, std::size_t bytes) override {
    ++collects_;
    for (auto it = elsewhere_.begin(); it != elsewhere_.end(); ++it) {
      if (it->bytes < bytes) continue;
      pool_->take_in(*it);
      elsewhere_.erase(it);
      return true;
    }
    return false;
  }
  bool obtain(Range range) override {
    obtained_.push_back(range);
    return obtain_granted_;
  }
  std::size_t left_, next_ = 0;
  int requests_ = 0;
  bool obtain_granted_ = false;
  std::vector<Range> obtained_;
  RangePool* pool_ = nullptr;
  std::vector<Range> elsewhere_;
  int collects_ = 0;
};

class RangePoolTest : public testing::TestWithParam<bool> {
 protected:
  RangePoolTest() { pool_.set_keep_bytes(4 << 20); }
  void TearDown() override { os::fail_after = 0; }
  static std::size_t lease_bytes() { return arena().lease_bytes(); }
  Range must_allocate(std::size_t bytes) {
    const auto got = pool_.allocate(bytes);
    EXPECT_TRUE(got);
    return got ? got->range : Range{};
  }
  TestArena test_{GetParam(), kArenaBytes};
  RangePool pool_{Region::kHeap};
};
INSTANTIATE_TEST_SUITE_P(Kinds, RangePoolTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Shared" : "Private"; });

TEST_P(RangePoolTest, AnEmptyPoolHasNothing) {
  errno = 0;
  EXPECT_FALSE(pool_.allocate(kUnitBytes));
  EXPECT_EQ(errno, ENOMEM);
  EXPECT_FALSE(pool_.take(Range{arena().region(Region::kHeap).begin, kUnitBytes}));
  EXPECT_FALSE(pool_.take_or_obtain(Range{arena().region(Region::kHeap).begin, kUnitBytes}));
  EXPECT_FALSE(pool_.refill(kUnitBytes));
  EXPECT_EQ(pool_.free_bytes(), 0u);
}

TEST_P(RangePoolTest, WhatIsHandedOutIsOpenAndReadsAsZeros) {
  pool_.add(LeaseRun{Region::kHeap, 0, 4});
  const auto got = pool_.allocate(2 * kUnitBytes);
  ASSERT_TRUE(got);
  EXPECT_TRUE(got->clean);
  EXPECT_TRUE(all_zero(got->range.pointer(), got->range.bytes));
  EXPECT_EQ(pool_.free_bytes(), 4 * lease_bytes() - 2 * kUnitBytes);
  fill_bytes(got->range.pointer(), got->range.bytes, 1);
}

TEST_P(RangePoolTest, ARangeThatWasFreedLatelyIsHandedOutAgainWithItsMemory) {
  pool_.add(LeaseRun{Region::kHeap, 0, 4});
  const Range range = must_allocate(3 * kUnitBytes);
  fill_bytes(range.pointer(), range.bytes, 2);
  pool_.free(range, range.bytes);
  EXPECT_EQ(pool_.resting_bytes(), range.bytes);
  const auto again = pool_.allocate(3 * kUnitBytes);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->range, range);
  EXPECT_FALSE(again->clean);
  EXPECT_EQ(pool_.resting_bytes(), 0u);
}

TEST_P(RangePoolTest, MoreThanMayBeKeptIsGivenBack) {
  pool_.add(LeaseRun{Region::kHeap, 0, 64});
  std::vector<Range> ranges;
  for (int i = 0; i < 400; ++i) ranges.push_back(must_allocate(kUnitBytes));
  for (const Range& range : ranges) {
    fill_bytes(range.pointer(), range.bytes, 3);
    pool_.free(range, range.bytes);
    EXPECT_LE(pool_.resting_bytes(), std::size_t{4} << 20);
  }
  EXPECT_GT(pool_.resting_bytes(), 0u);
  const Range large = must_allocate(5 << 20);
  pool_.free(large, large.bytes);
  EXPECT_LE(pool_.resting_bytes(), std::size_t{4} << 20)
      << "one that is too large does not rest at all";
  pool_.trim(0);
  EXPECT_EQ(pool_.resting_bytes(), 0u);
  EXPECT_EQ(pool_.free_bytes(), 64 * lease_bytes());
  const auto all = pool_.allocate(64 * lease_bytes());
  ASSERT_TRUE(all) << "what was freed has grown together";
  EXPECT_TRUE(all->clean);
  EXPECT_TRUE(all_zero(all->range.pointer(), all->range.bytes));
}

TEST_P(RangePoolTest, KeptRangesAreGivenUpWhereOtherwiseThereWereNone) {
  pool_.add(LeaseRun{Region::kHeap, 0, 1});
  const std::size_t units = lease_bytes() / kUnitBytes;
  std::vector<Range> ranges;
  for (std::size_t i = 0; i < units; ++i) ranges.push_back(must_allocate(kUnitBytes));
  EXPECT_FALSE(pool_.allocate(kUnitBytes));
  for (const Range& range : ranges) {
    fill_bytes(range.pointer(), range.bytes, 4);
    pool_.free(range, range.bytes);
  }
  const auto whole = pool_.allocate(lease_bytes());
  ASSERT_TRUE(whole);
  EXPECT_TRUE(whole->clean);
  EXPECT_TRUE(all_zero(whole->range.pointer(), whole->range.bytes));
}

TEST_P(RangePoolTest, AsksItsSourceWhenItRunsOutAndFailsWhenTheJobHasNoMore) {
  FakeSource source(10);
  pool_.set_source(&source);
  pool_.add(*source.request(Region::kHeap, 2));
  std::vector<Range> ranges;
  while (const auto got = pool_.allocate(lease_bytes() / 2)) {
    for (const Range& other : ranges) {
      ASSERT_TRUE(got->range.end() <= other.begin || other.end() <= got->range.begin);
    }
    ranges.push_back(got->range);
  }
  EXPECT_EQ(errno, ENOMEM);
  EXPECT_EQ(ranges.size(), 20u);
  EXPECT_EQ(pool_.free_bytes(), 0u);
  EXPECT_TRUE(pool_.low());
  EXPECT_FALSE(pool_.allocate(arena().region(Region::kHeap).bytes + kUnitBytes));
}

TEST_P(RangePoolTest, ALargeRangeIsAskedForAsOneRun) {
  FakeSource source(100);
  pool_.set_source(&source);
  const auto got = pool_.allocate(5 * lease_bytes() + kUnitBytes);
  ASSERT_TRUE(got);
  EXPECT_EQ(source.next_, 6u);
  EXPECT_EQ(source.requests_, 1);
  EXPECT_EQ(pool_.free_bytes(), lease_bytes() - kUnitBytes);
}

TEST_P(RangePoolTest, ASpecificRangeIsTakenFromTheMiddleOrNotAtAll) {
  pool_.add(LeaseRun{Region::kHeap, 0, 8});
  const Address base = arena().region(Region::kHeap).begin;
  const Range middle{base + 3 * lease_bytes() + kUnitBytes, 2 * lease_bytes()};
  ASSERT_TRUE(pool_.take(middle));
  EXPECT_TRUE(all_zero(middle.pointer(), middle.bytes));
  EXPECT_FALSE(pool_.take(middle)) << "it is taken";
  EXPECT_FALSE(pool_.take(Range{middle.begin - kUnitBytes, 2 * kUnitBytes})) << "in part";
  EXPECT_FALSE(pool_.take(Range{middle.end() - kUnitBytes, 2 * kUnitBytes}));
  EXPECT_FALSE(pool_.take(Range{base + 7 * lease_bytes(), 2 * lease_bytes()})) << "beyond the end";
  EXPECT_EQ(pool_.free_bytes(), 6 * lease_bytes());
  EXPECT_TRUE(pool_.take(Range{base, kUnitBytes}));
  EXPECT_TRUE(pool_.take(Range{middle.end(), kUnitBytes}));
  pool_.free(middle, middle.bytes);
  fill_bytes(middle.pointer(), middle.bytes, 5);
  EXPECT_TRUE(pool_.take(middle)) << "also when its memory rested";
}

TEST_P(RangePoolTest, ARangeGrowsOverWhatIsKeptAndWhatIsCleanBehindIt) {
  pool_.add(LeaseRun{Region::kHeap, 0, 8});
  const Range range = must_allocate(2 * kUnitBytes);
  const Range behind = must_allocate(18 * kUnitBytes);
  ASSERT_EQ(behind.begin, range.end());
  fill_bytes(behind.pointer(), behind.bytes, 5);
  const std::size_t free_bytes = pool_.free_bytes();
  EXPECT_FALSE(pool_.extend(Range{range.end(), kUnitBytes})) << "it is in use";
  pool_.free(behind, behind.bytes);
  ASSERT_EQ(pool_.resting_bytes(), behind.bytes);
  const Range more{range.end(), behind.bytes + kUnitBytes};
  ASSERT_TRUE(pool_.extend(more));
  EXPECT_EQ(pool_.resting_bytes(), 0u);
  EXPECT_EQ(pool_.free_bytes(), free_bytes - kUnitBytes);
  EXPECT_TRUE(holds_bytes(behind.pointer(), behind.bytes, 5)) << "with its memory";
  EXPECT_TRUE(all_zero(reinterpret_cast<void*>(behind.end()), kUnitBytes));
  EXPECT_FALSE(pool_.extend(Range{more.end() - kUnitBytes, 2 * kUnitBytes})) << "in part";
  const Address end = arena().region(Region::kHeap).begin + 8 * lease_bytes();
  EXPECT_FALSE(pool_.extend(Range{more.end(), end + kUnitBytes - more.end()})) << "beyond the end";
  EXPECT_EQ(pool_.free_bytes(), free_bytes - kUnitBytes);
  os::fail_after = 1;
  EXPECT_FALSE(pool_.extend(Range{more.end(), end - more.end()})) << "no memory to open it";
  os::fail_after = 0;
  EXPECT_TRUE(pool_.extend(Range{more.end(), end - more.end()}));
  EXPECT_EQ(pool_.free_bytes(), 0u);
}

TEST_P(RangePoolTest, LongRangesThatAreKeptGrowTogetherAndAreCut) {
  pool_.add(LeaseRun{Region::kHeap, 0, 8});
  const std::size_t bytes = 18 * kUnitBytes;
  const Range first = must_allocate(bytes), second = must_allocate(bytes);
  must_allocate(kUnitBytes);
  pool_.free(second, bytes);
  pool_.free(first, bytes);
  EXPECT_EQ(pool_.resting_bytes(), 2 * bytes);
  const auto longer = pool_.allocate(2 * bytes - kUnitBytes);
  ASSERT_TRUE(longer);
  EXPECT_EQ(longer->range.begin, first.begin);
  EXPECT_FALSE(longer->clean);
  const auto rest = pool_.allocate(kUnitBytes);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->range.begin, longer->range.end());
  EXPECT_EQ(pool_.resting_bytes(), 0u);
  pool_.free(longer->range, longer->range.bytes);
  pool_.trim(bytes);
  EXPECT_EQ(pool_.resting_bytes(), bytes) << "no more is given back than has to be";
}

TEST_P(RangePoolTest, WhatWasFreedLongAgoIsGivenBackFirst) {
  pool_.add(LeaseRun{Region::kHeap, 0, 48});
  pool_.set_keep_bytes(64 << 20);
  std::vector<Range> cold, units;
  for (int i = 0; i < 10; ++i) {
    cold.push_back(must_allocate(17 * kUnitBytes));
    must_allocate(kUnitBytes);  // they do not grow together
  }
  const Range hot = must_allocate(40 * kUnitBytes);
  for (int i = 0; i < 80; ++i) units.push_back(must_allocate(kUnitBytes));
  for (const Range& range : cold) pool_.free(range, range.bytes);
  for (const Range& range : units) pool_.free(range, range.bytes);
  pool_.free(hot, hot.bytes);
  pool_.trim(pool_.resting_bytes() / 2);
  const auto again = pool_.allocate(hot.bytes);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->range, hot);
  EXPECT_FALSE(again->clean) << "though it was the longest";
  int resting_units = 0;
  while (!pool_.allocate(kUnitBytes)->clean) ++resting_units;
  EXPECT_GE(resting_units, 20) << "and single units lose no more than their share";
}

TEST_P(RangePoolTest, WhatHoldsNoMemoryIsCleanWhenItIsFreed) {
  pool_.add(LeaseRun{Region::kHeap, 0, 1});
  const Range whole = must_allocate(lease_bytes());
  pool_.free(whole, 0);
  EXPECT_EQ(pool_.resting_bytes(), 0u);
  EXPECT_TRUE(pool_.allocate(lease_bytes())->clean);
}

TEST_P(RangePoolTest, WhatIsGivenAwayIsCleanAndNobodysHere) {
  pool_.add(LeaseRun{Region::kHeap, 0, 8});
  RangePool other{Region::kHeap};
  std::vector<Range> used;
  for (int i = 0; i < 40; ++i) used.push_back(must_allocate(kUnitBytes));
  for (std::size_t i = 0; i < used.size(); i += 2) {
    fill_bytes(used[i].pointer(), used[i].bytes, i);
    pool_.free(used[i], used[i].bytes);
  }
  const std::size_t all = pool_.free_bytes();
  EXPECT_TRUE(pool_.give(all + kUnitBytes, all, 100).empty()) << "none is so long";
  EXPECT_EQ(pool_.free_bytes(), all);
  // In pieces, the longest first, until all is given.
  std::size_t given = 0;
  for (const std::size_t least : {3 * lease_bytes(), kUnitBytes, std::size_t{0}}) {
    const std::vector<Range> ranges = pool_.give(least, least == 0 ? SIZE_MAX : 2 * least, 100);
    ASSERT_FALSE(ranges.empty());
    EXPECT_GE(ranges[0].bytes, least);
    for (const Range& range : ranges) {
      EXPECT_FALSE(pool_.take(range));
      other.take_in(range);
      given += range.bytes;
    }
    EXPECT_EQ(pool_.free_bytes(), all - given);
    EXPECT_EQ(other.free_bytes(), given);
  }
  EXPECT_EQ(given, all);
  EXPECT_FALSE(pool_.allocate(kUnitBytes));
  for (const Range& range : used) {
    if (!other.take(range)) continue;
    EXPECT_TRUE(all_zero(range.pointer(), range.bytes));
  }
  EXPECT_EQ(other.free_bytes(), all - used.size() / 2 * kUnitBytes);
}

TEST_P(RangePoolTest, ShortPiecesAreGivenAwayAsTheCallerSays) {
  pool_.add(LeaseRun{Region::kHeap, 0, 8});
  std::vector<Range> used;
  for (int i = 0; i < 40; ++i) used.push_back(must_allocate(kUnitBytes));
  for (std::size_t i = 0; i < used.size(); i += 2) pool_.free(used[i], 0);
  const std::size_t all = pool_.free_bytes(), pieces = pool_.pieces();
  EXPECT_EQ(pieces, 21u);
  const Address middle = used[20].begin;
  const std::vector<Range> given =
      pool_.give_pieces(2 * kUnitBytes, [&](Range range) { return range.begin < middle; });
  ASSERT_EQ(given.size(), 10u);
  for (std::size_t i = 0; i < given.size(); ++i) EXPECT_EQ(given[i], used[2 * i]);
  EXPECT_EQ(pool_.free_bytes(), all - 10 * kUnitBytes);
  EXPECT_EQ(pool_.pieces(), pieces - 10);
  EXPECT_FALSE(pool_.take(given[0]));
}

TEST_P(RangePoolTest, WhatOthersHaveFreeIsCollectedWhenTheJobHasNoMoreLeases) {
  FakeSource source(2);
  source.pool_ = &pool_;
  pool_.set_source(&source);
  const Address begin = arena().region(Region::kHeap).begin + 4 * lease_bytes();
  source.elsewhere_ = {Range{begin, 2 * kUnitBytes},
                       Range{begin + lease_bytes(), lease_bytes() + kUnitBytes}};
  EXPECT_EQ(must_allocate(2 * lease_bytes()).bytes, 2 * lease_bytes());
  EXPECT_EQ(source.collects_, 0);
  const Range range = must_allocate(3 * kUnitBytes);
  EXPECT_EQ(range.begin, begin + lease_bytes());
  fill_bytes(range.pointer(), range.bytes, 7);
  EXPECT_EQ(source.elsewhere_.size(), 1u);
  EXPECT_FALSE(pool_.allocate(2 * lease_bytes()));
}

TEST_P(RangePoolTest, WhatIsNotFreeHereIsClaimedFromOthers) {
  FakeSource source(0);
  pool_.set_source(&source);
  const Range range{arena().region(Region::kHeap).begin + 2 * lease_bytes(), 3 * kUnitBytes};
  EXPECT_FALSE(pool_.take_or_obtain(range));
  source.obtain_granted_ = true;
  ASSERT_TRUE(pool_.take_or_obtain(range));
  EXPECT_EQ(source.obtained_, (std::vector<Range>{range, range}));
  fill_bytes(range.pointer(), range.bytes, 6);  // it is open
}

TEST_P(RangePoolTest, MemoryThatCannotBeOpenedLeavesTheAddressesFree) {
  pool_.add(LeaseRun{Region::kHeap, 0, 4});
  os::fail_after = 1;
  errno = 0;
  EXPECT_FALSE(pool_.allocate(lease_bytes()));
  EXPECT_EQ(errno, ENOMEM);
  EXPECT_EQ(pool_.free_bytes(), 4 * lease_bytes());
  os::fail_after = 1;
  EXPECT_FALSE(pool_.take(Range{arena().region(Region::kHeap).begin, kUnitBytes}));
  EXPECT_EQ(pool_.free_bytes(), 4 * lease_bytes());
  EXPECT_TRUE(pool_.allocate(4 * lease_bytes()));
}

TEST_P(RangePoolTest, ARangeThatIsFreedTwiceStopsTheProgram) {
  if (GetParam()) GTEST_SKIP() << "a forked child would share the memory";
  pool_.set_keep_bytes(0);
  pool_.add(LeaseRun{Region::kHeap, 0, 4});
  const Range range = must_allocate(2 * kUnitBytes);
  pool_.free(range, range.bytes);
  EXPECT_EXIT(pool_.free(range, range.bytes), testing::ExitedWithCode(1), "freed twice");
}

// ---- against a plain model ----

// Ranges in use, each with the seed of its bytes; everything else that was added is free.
TEST_P(RangePoolTest, AgreesWithAPlainModelUnderRandomOperations) {
  const std::uint64_t seed = test_seed();
  std::mt19937_64 random(seed);
  FakeSource source(48);
  pool_.set_source(&source);
  std::map<Address, std::pair<std::size_t, std::uint64_t>> used;
  std::size_t used_bytes = 0;
  const auto put = [&](Range range) {
    const auto next = used.lower_bound(range.begin);
    ASSERT_TRUE(next == used.end() || range.end() <= next->first) << "overlaps what is in use";
    if (next != used.begin()) {
      const auto before = std::prev(next);
      ASSERT_LE(before->first + before->second.first, range.begin) << "overlaps what is in use";
    }
    const std::uint64_t fill = random();
    fill_bytes(range.pointer(), range.bytes, fill);
    used[range.begin] = {range.bytes, fill};
    used_bytes += range.bytes;
  };
  for (int op = 0; op < 4000; ++op) {
    SCOPED_TRACE(testing::Message() << "seed " << seed << " operation " << op);
    const std::size_t bytes = (1 + (random() % 8 == 0 ? random() % 40 : random() % 3)) * kUnitBytes;
    switch (random() % 16) {
      default: {
        const auto got = pool_.allocate(bytes);
        if (!got) {
          ASSERT_EQ(source.left_ * lease_bytes() / bytes, 0u) << "the source still had leases";
          break;
        }
        ASSERT_EQ(got->range.bytes, bytes);
        if (got->clean) {
          ASSERT_TRUE(all_zero(got->range.pointer(), bytes));
        }
        put(got->range);
        break;
      }
      case 0: {
        const Range wanted{arena().region(Region::kHeap).begin + random() % 600 * kUnitBytes,
                           bytes};
        if (pool_.take(wanted)) {
          ASSERT_TRUE(all_zero(wanted.pointer(), bytes));
          put(wanted);
        }
        break;
      }
      case 1:
        pool_.trim(random() % (8 << 20));
        break;
      case 9: {
        if (used.empty()) break;
        const auto [begin, what] = *std::next(used.begin(), random() % used.size());
        const Range wanted{begin + what.first, bytes};
        if (pool_.extend(wanted)) put(wanted);
        break;
      }
      case 2:
      case 3:
      case 4:
      case 5:
      case 6:
      case 7:
      case 8: {
        if (used.empty()) break;
        auto it =
            used.lower_bound(arena().region(Region::kHeap).begin + random() % (48 * lease_bytes()));
        if (it == used.end()) it = used.begin();
        const Range range{it->first, it->second.first};
        ASSERT_TRUE(holds_bytes(range.pointer(), range.bytes, it->second.second));
        used.erase(it);
        used_bytes -= range.bytes;
        pool_.free(range, range.bytes);
        break;
      }
    }
    if (HasFatalFailure()) return;
    ASSERT_EQ(pool_.free_bytes(), source.next_ * lease_bytes() - used_bytes);
    ASSERT_LE(pool_.resting_bytes(), pool_.free_bytes());
    ASSERT_LE(pool_.resting_bytes(), std::size_t{4} << 20);
  }
  for (const auto& [begin, what] : used) {
    ASSERT_TRUE(holds_bytes(reinterpret_cast<void*>(begin), what.first, what.second));
    pool_.free(Range{begin, what.first}, what.first);
  }
  pool_.trim(0);
  EXPECT_TRUE(pool_.allocate(source.next_ * lease_bytes())) << "all of it has grown together";
}

}  // namespace
}  // namespace roam::iso
