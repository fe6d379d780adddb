#include "threads/sleepers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "base/test_bytes.h"

namespace roam::threads {
namespace {

// Control blocks of no thread: a sleeper's deadline is all that is asked of one.
std::vector<std::unique_ptr<Tcb>> blocks(std::size_t count) {
  std::vector<std::unique_ptr<Tcb>> made;
  for (std::size_t i = 0; i < count; ++i) made.push_back(std::make_unique<Tcb>());
  return made;
}

TEST(Sleepers, AreDueInTheOrderOfTheirDeadlinesAndNotBefore) {
  const auto threads = blocks(3);
  Sleepers sleepers;
  EXPECT_TRUE(sleepers.empty());
  EXPECT_EQ(sleepers.first_deadline(), nullptr);
  EXPECT_EQ(sleepers.first_deadline_ns(), 0);
  EXPECT_EQ(sleepers.due(INT64_MAX), nullptr);
  sleepers.add(threads[0].get(), 300);
  sleepers.add(threads[1].get(), 100);
  sleepers.add(threads[2].get(), 200);
  EXPECT_EQ(sleepers.first_deadline_ns(), 100);
  EXPECT_EQ(sleepers.due(99), nullptr);
  EXPECT_EQ(sleepers.due(100), threads[1].get());
  EXPECT_EQ(sleepers.due(1000), threads[1].get()) << "it is there until it is taken out";
  sleepers.remove(threads[1].get());
  EXPECT_EQ(sleepers.due(199), nullptr);
  EXPECT_EQ(sleepers.due(200), threads[2].get());
  sleepers.remove(threads[2].get());
  EXPECT_EQ(*sleepers.first_deadline(), 300);
  sleepers.remove(threads[0].get());
  EXPECT_TRUE(sleepers.empty());
}

TEST(Sleepers, WhoIsTakenOutKeepsItsDeadline) {
  const auto threads = blocks(1);
  Tcb* t = threads[0].get();
  Sleepers here, there;
  here.add(t, 500);
  EXPECT_EQ(t->deadline_ns, 500);
  here.remove(t);
  EXPECT_EQ(t->deadline_ns, 500);
  EXPECT_TRUE(here.empty());
  there.add(t, t->deadline_ns);
  EXPECT_EQ(there.due(500), t);
}

TEST(Sleepers, WhoDoesNotSleepMayBeTakenOut) {
  const auto threads = blocks(2);
  Sleepers sleepers;
  sleepers.add(threads[0].get(), 500);
  sleepers.remove(threads[1].get());
  threads[1]->deadline_ns = 500;  // it sleeps on another rank
  sleepers.remove(threads[1].get());
  EXPECT_EQ(sleepers.due(500), threads[0].get());
}

TEST(Sleepers, ManyWithAFewDeadlinesAreAllMet) {
  const auto threads = blocks(1000);
  std::mt19937_64 random(test_seed());
  Sleepers sleepers;
  std::vector<Tcb*> in;
  for (const auto& t : threads) {
    sleepers.add(t.get(), static_cast<std::int64_t>(random() % 10) + 1);
    in.push_back(t.get());
  }
  std::shuffle(in.begin(), in.end(), random);
  for (; in.size() > 500; in.pop_back()) sleepers.remove(in.back());
  std::int64_t last = 0;
  while (Tcb* t = sleepers.due(10)) {
    EXPECT_GE(t->deadline_ns, last);
    last = t->deadline_ns;
    EXPECT_EQ(std::erase(in, t), 1u);
    sleepers.remove(t);
  }
  EXPECT_TRUE(in.empty());
  EXPECT_TRUE(sleepers.empty());
}

}  // namespace
}  // namespace roam::threads
