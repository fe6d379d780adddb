#include "mpi/image/keys.h"

#include <gtest/gtest.h>

namespace roam::mpi {
namespace {

TEST(Keys, AreMadeUsedAgainAndBegin0) {
  Keys keys;
  unsigned a = 99, b = 99, c = 99;
  int value = 0;
  ASSERT_TRUE(keys.make(&a));
  ASSERT_TRUE(keys.make(&b));
  EXPECT_NE(a, b);
  EXPECT_EQ(keys.get(a), nullptr);
  keys.set(a, &value);
  EXPECT_EQ(keys.get(a), &value);
  EXPECT_EQ(keys.get(b), nullptr);
  keys.drop(a);
  EXPECT_FALSE(keys.has(a));
  EXPECT_EQ(keys.get(a), nullptr);
  ASSERT_TRUE(keys.make(&c));
  EXPECT_EQ(c, a);
  EXPECT_EQ(keys.get(c), nullptr);
  EXPECT_FALSE(keys.has(1000000));
}

TEST(Keys, AreAsManyAsAProcessHas) {
  Keys keys;
  unsigned key = 0;
  for (std::size_t i = 0; i < Keys::kMost; ++i) ASSERT_TRUE(keys.make(&key));
  EXPECT_FALSE(keys.make(&key));
  keys.drop(7);
  ASSERT_TRUE(keys.make(&key));
  EXPECT_EQ(key, 7u);
}

Keys* destroyed_of = nullptr;
int destroyed = 0;

TEST(Keys, DestructorsAreCalledAgainForWhatTheySet) {
  Keys mine;
  destroyed_of = &mine;
  destroyed = 0;
  unsigned one, other;
  ASSERT_TRUE(mine.make(&one, [](void* value) {
    ++destroyed;
    destroyed_of->set(0, value);
  }));
  ASSERT_TRUE(mine.make(&other));
  ASSERT_EQ(one, 0u);
  mine.set(other, &destroyed);
  mine.run_destructors();
  EXPECT_EQ(destroyed, 0);
  mine.set(one, &destroyed);
  mine.run_destructors();
  EXPECT_EQ(destroyed, 4);
}

}  // namespace
}  // namespace roam::mpi
