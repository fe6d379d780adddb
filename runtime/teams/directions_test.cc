#include "runtime/teams/directions.h"

#include <gtest/gtest.h>

namespace roam::runtime {
namespace {

Target target(std::uint64_t id) { return {id, nullptr}; }

TEST(Directions, EveryMemberHasOneHome) {
  for (const int ranks : {1, 2, 3, 7}) {
    for (const int size : {1, 2, 6, 7, 8, 100}) {
      int homes = 0;
      for (int here = 0; here < ranks; ++here) {
        const Directions d(size, ranks, here);
        for (int index = 0; index < size; ++index) {
          const bool at_home = d.at_home(index) != nullptr;
          EXPECT_EQ(at_home, d.home_rank(index) == here) << index << " of " << size;
          homes += at_home;
        }
        EXPECT_EQ(d.at_home(-1), nullptr);
        EXPECT_EQ(d.at_home(size), nullptr);
      }
      EXPECT_EQ(homes, size) << ranks << " ranks";
    }
  }
}

TEST(Directions, RememberTheMembersOfTheirHome) {
  Directions d(6, 3, 1);
  EXPECT_EQ(d.at_home(2)->id, 0u) << "not said yet";
  d.set_home(2, target(20));
  d.set_home(3, target(30));
  EXPECT_EQ(d.at_home(2)->id, 20u);
  EXPECT_EQ(d.at_home(3)->id, 30u);
  EXPECT_EQ(d.heard_of(2), nullptr);
}

TEST(Directions, OldNewsAreDropped) {
  Directions d(6, 3, 0);
  EXPECT_EQ(d.heard_of(5), nullptr);
  d.learn(5, {target(50), 2, 4});
  d.learn(5, {target(50), 1, 3});
  EXPECT_EQ(d.heard_of(5)->rank, 2);
  d.learn(5, {target(50), 0, 4});
  EXPECT_EQ(d.heard_of(5)->rank, 0) << "of news of one age the last counts";
  d.learn(5, {target(50), 1, 9});
  EXPECT_EQ(d.heard_of(5)->rank, 1);
}

}  // namespace
}  // namespace roam::runtime
