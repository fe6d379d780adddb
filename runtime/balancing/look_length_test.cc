#include "runtime/balancing/look_length.h"

#include <gtest/gtest.h>

namespace roam::runtime {
namespace {

TEST(LookLength, StaysShortWherePlansDoWhatTheyAreMadeFor) {
  LookLength look;
  for (int i = 0; i < 10; ++i) {
    look.looked(1.8, true);
    look.looked(1.1, false);
  }
  EXPECT_EQ(look.seconds(), LookLength::kShortestS);
}

TEST(LookLength, GrowsWhereOnePlanTakesBackWhatTheOtherDid) {
  LookLength look;
  for (int i = 0; i < 3; ++i) {
    look.looked(1.5, true);   // somebody was held up
    look.looked(1.5, true);   // what moved is missing where it was
    look.looked(1.0, false);  // and is back
  }
  EXPECT_DOUBLE_EQ(look.seconds(), 8 * LookLength::kShortestS);
}

TEST(LookLength, DoesNotChangeWhileNothingIsPlanned) {
  LookLength look;
  look.looked(2, true);
  look.looked(2, false);
  const double seconds = look.seconds();
  EXPECT_GT(seconds, LookLength::kShortestS);
  for (int i = 0; i < 10; ++i) look.looked(1.5, false);
  EXPECT_EQ(look.seconds(), seconds);
}

TEST(LookLength, HasBounds) {
  LookLength look;
  for (int i = 0; i < 100; ++i) look.looked(3, true);
  EXPECT_EQ(look.seconds(), LookLength::kLongestS);
  for (int i = 0; i < 100; ++i) {
    look.looked(3, true);
    look.looked(1, false);
  }
  EXPECT_EQ(look.seconds(), LookLength::kShortestS);
}

TEST(LookLength, IsTwentyTimesWhatAPlanTakesThatDoesNotHelp) {
  LookLength look;
  for (int i = 0; i < 20; ++i) look.looked(3, true, 1.5);
  EXPECT_EQ(look.seconds(), 30);
  for (int i = 0; i < 20; ++i) {  // plans help again
    look.looked(3, true, 1.5);
    look.looked(1, false, 1.5);
  }
  EXPECT_EQ(look.seconds(), LookLength::kShortestS);
}

}  // namespace
}  // namespace roam::runtime
