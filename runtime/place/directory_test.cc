#include "runtime/place/directory.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/test_bytes.h"

namespace roam::runtime {
namespace {

TEST(ThreadId, HoldsItsHomeAndItsNumberAndIsNeverZero) {
  for (const int home : {0, 1, 77, 65535, (1 << 23) - 2}) {
    for (const std::uint64_t number : {std::uint64_t{1}, (std::uint64_t{1} << 40) - 1}) {
      const std::uint64_t id = make_id(home, number);
      EXPECT_EQ(home_of(id), home);
      EXPECT_EQ(number_of(id), number);
      EXPECT_NE(id, 0u);
    }
  }
  EXPECT_EQ(home_of(0), -1) << "an empty handle has no home";
}

TEST(Directory, GivesOutEachIdOnceAndKnowsOnlyThose) {
  Directory directory(3);
  std::unordered_set<std::uint64_t> ids;
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t id = directory.new_id();
    EXPECT_EQ(home_of(id), 3);
    EXPECT_TRUE(ids.insert(id).second);
    EXPECT_TRUE(directory.known(id));
    EXPECT_FALSE(directory.ended(id));
  }
  EXPECT_FALSE(directory.known(0));
  EXPECT_FALSE(directory.known(make_id(3, 0)));
  EXPECT_FALSE(directory.known(make_id(3, 10'001)));
  EXPECT_FALSE(directory.known(make_id(4, 1))) << "another rank's";
}

TEST(Directory, BelievesTheNewestNews) {
  Directory directory(0);
  const std::uint64_t id = directory.new_id();
  EXPECT_EQ(directory.away(id), std::nullopt);
  directory.set_away(id, 5, 3);
  EXPECT_EQ(directory.away(id), 5);
  directory.set_away(id, 4, 2);
  EXPECT_EQ(directory.away(id), 5) << "older news came later";
  directory.set_away(id, 6, 4);
  EXPECT_EQ(directory.away(id), 6);
  directory.set_away(id, 0, 5);
  EXPECT_EQ(directory.away(id), 0) << "also that it is back";
}

TEST(Directory, AnEndedThreadIsNowhere) {
  Directory directory(0);
  const std::uint64_t id = directory.new_id(), other = directory.new_id();
  directory.set_away(id, 5, 3);
  directory.set_ended(id);
  EXPECT_TRUE(directory.ended(id));
  EXPECT_FALSE(directory.ended(other));
  EXPECT_EQ(directory.away(id), std::nullopt);
  directory.set_away(id, 4, 2);
  EXPECT_EQ(directory.away(id), std::nullopt) << "news that was overtaken by its end";
}

TEST(Directory, RemembersWhereAnExceptionWaits) {
  Directory directory(0);
  const std::uint64_t id = directory.new_id();
  directory.set_ended(id);
  EXPECT_EQ(directory.take_remains(id), std::nullopt);
  directory.set_remains(id, 7);
  EXPECT_TRUE(directory.any_remains());
  EXPECT_EQ(directory.take_remains(id), 7);
  EXPECT_EQ(directory.take_remains(id), std::nullopt) << "the first joiner has it";
  EXPECT_FALSE(directory.any_remains()) << "what was joined takes no memory";
  directory.set_remains(id, 7);
  directory.forget_remains(id);
  EXPECT_FALSE(directory.any_remains()) << "nor does what is gone";
}

TEST(Directory, NewsOfAThreadThatMovedVeryOftenAreNewer) {
  Directory directory(0);
  const std::uint64_t id = directory.new_id();
  directory.set_away(id, 5, 0xfffffffe);
  directory.set_away(id, 6, 0x1'0000'0001);
  EXPECT_EQ(directory.away(id), 6);
  directory.set_away(id, 7, 0xffffffff);
  EXPECT_EQ(directory.away(id), 6);
  directory.set_away(id, 8, 0x2'0000'0000);  // most hops were inside a node, of which no news come
  EXPECT_EQ(directory.away(id), 8);
}

TEST(EndedThreads, TakeMemoryForThoseThatLive) {
  EndedThreads threads;
  const std::uint64_t many = 100 * EndedThreads::kChunk;
  const auto long_lived = [](std::uint64_t number) { return number % 30'000 == 5; };
  for (std::uint64_t number = 1; number <= many; ++number) {
    threads.begin(number);
    ASSERT_FALSE(threads.ended(number));
    if (number > 700 && !long_lived(number - 700)) threads.set_ended(number - 700);
    ASSERT_LE(threads.chunks(), 2 + 1 + many / 30'000);
  }
  for (std::uint64_t number = 1; number <= many - 700; ++number)
    ASSERT_EQ(threads.ended(number), !long_lived(number)) << number;
  for (std::uint64_t number = 1; number <= many; ++number) {
    threads.set_ended(number);
    threads.set_ended(number);
    ASSERT_TRUE(threads.ended(number));
  }
  EXPECT_EQ(threads.chunks(), 1u);
}

TEST(Directory, AgreesWithAPlainModelWhateverTheOrderOfNews) {
  const std::uint64_t seed = test_seed();
  std::mt19937_64 random(seed);
  struct Known {
    bool ended = false;
    int rank = -1;
    std::uint64_t hops = 0;
  };
  Directory directory(9);
  std::unordered_map<std::uint64_t, Known> model;
  std::vector<std::uint64_t> ids;
  for (int op = 0; op < 50'000; ++op) {
    const std::uint64_t what = random() % 4;
    if (what == 0 || ids.empty()) {
      ids.push_back(directory.new_id());
      model[ids.back()] = {};
      continue;
    }
    const std::uint64_t id = ids[random() % ids.size()];
    Known& known = model[id];
    if (what == 1 && random() % 4 == 0) {
      directory.set_ended(id);
      known.ended = true;
    } else if (what == 2 && !known.ended) {
      const std::uint64_t hops = random() % 50;
      const int rank = static_cast<int>(hops * 3 % 11);  // news of one hop always name one rank
      directory.set_away(id, rank, hops);
      if (known.rank < 0 || hops >= known.hops) known.rank = rank, known.hops = hops;
    }
    ASSERT_EQ(directory.ended(id), known.ended) << "seed " << seed << " operation " << op;
    const std::optional<int> expected =
        known.ended || known.rank < 0 ? std::nullopt : std::optional(known.rank);
    ASSERT_EQ(directory.away(id), expected) << "seed " << seed << " operation " << op;
  }
}

}  // namespace
}  // namespace roam::runtime
