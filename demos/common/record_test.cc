#include "demos/common/record.h"

#include <gtest/gtest.h>

namespace {

TEST(Record, IsSummarisedOverIntervals) {
  Record run;
  run.intervals.push_back({.last_step = 4, .busy_seconds = {4, 0, 0, 0}});
  run.intervals.push_back(
      {.last_step = 9, .busy_seconds = {1, 1, 2, 0}, .balancing_seconds = 0.5, .moved = 3});
  const Summary all = summarise(run, 0, 2);
  EXPECT_DOUBLE_EQ(all.average_seconds, 2);
  EXPECT_DOUBLE_EQ(all.largest_seconds, 6);
  EXPECT_DOUBLE_EQ(all.efficiency(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(all.balancing_seconds, 0.5);
  EXPECT_EQ(all.moved, 3);
  EXPECT_DOUBLE_EQ(summarise(run, 1, 2).efficiency(), 0.5);
  EXPECT_DOUBLE_EQ(summarise(run, 2, 2).efficiency(), 1);
}

TEST(Record, NoRunIsShorterThanItsComputingOnTheCores) {
  Record run;
  run.intervals.push_back({.last_step = 4, .busy_seconds = {4, 0, 0, 0}});
  run.intervals.push_back({.last_step = 9, .busy_seconds = {1, 1, 2, 0}});
  EXPECT_DOUBLE_EQ(least_seconds(run, 1), 8);
  EXPECT_DOUBLE_EQ(least_seconds(run, 2), 4);
  EXPECT_DOUBLE_EQ(least_seconds(run, 4), 2);
  EXPECT_DOUBLE_EQ(least_seconds(run, 64), 2) << "a rank has one core";
}

TEST(Record, NumbersHaveCommas) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(1000), "1,000");
  EXPECT_EQ(with_commas(-123456), "-123,456");
  EXPECT_EQ(with_commas(1234567), "1,234,567");
}

}  // namespace
