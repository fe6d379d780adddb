#include "runtime/teams/residents.h"

#include <gtest/gtest.h>

#include <vector>

namespace roam::runtime {
namespace {

using detail::Member;

std::vector<int> indices(Residents& residents) {
  std::vector<int> all;
  residents.for_each([&](const Member& m) { all.push_back(m.index); });
  return all;
}

class ResidentsTest : public testing::Test {
 protected:
  ResidentsTest() {
    for (int i = 0; i < 4; ++i) {
      members_[i].index = i;
      residents_.add(members_[i]);
    }
  }
  ~ResidentsTest() override {
    residents_.for_each([&](Member& m) { residents_.remove(m); });
    EXPECT_TRUE(indices(residents_).empty());
  }
  Member members_[4];
  Residents residents_;
};

TEST_F(ResidentsTest, WhoCameLastIsFirst) {
  EXPECT_EQ(indices(residents_), (std::vector{3, 2, 1, 0}));
}

TEST_F(ResidentsTest, LeaveFromAnyPlaceAndComeBack) {
  residents_.remove(members_[2]);
  residents_.remove(members_[0]);
  residents_.remove(members_[3]);
  EXPECT_EQ(indices(residents_), (std::vector{1}));
  residents_.add(members_[2]);
  EXPECT_EQ(indices(residents_), (std::vector{2, 1}));
}

TEST_F(ResidentsTest, AVisitMayTakeTheMemberOut) {
  residents_.for_each([&](Member& m) {
    if (m.index % 2 == 1) residents_.remove(m);
  });
  EXPECT_EQ(indices(residents_), (std::vector{2, 0}));
}

TEST_F(ResidentsTest, NobodyIsLookedAtBehindTheOneThatIsFound) {
  std::vector<int> seen;
  EXPECT_TRUE(residents_.any([&](const Member& m) {
    seen.push_back(m.index);
    return m.index == 2;
  }));
  EXPECT_EQ(seen, (std::vector{3, 2}));
  EXPECT_FALSE(residents_.any([](const Member& m) { return m.index == 7; }));
}

}  // namespace
}  // namespace roam::runtime
