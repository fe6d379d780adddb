#include "demos/heat/plate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace {

// The same equation in a thousand explicit steps.
double burn_finely(double u) {
  constexpr int kSteps = 100'000;
  for (int i = 0; i < kSteps; ++i) u += (2 * std::exp(-8 / u) - 0.02 * u * u * u * u) / kSteps;
  return u;
}

TEST(Plate, BurningFollowsItsEquation) {
  for (const double u : {1.01, 1.5, 2.0, 3.0}) EXPECT_NEAR(burn(u), burn_finely(u), 0.02 * u);
}

TEST(Plate, HeatIsConservedWhereNothingBurnsAndNoneReachesTheEdge) {
  const Tile all{0, 30, 0, 30};
  Field now(all);
  Field next(all);
  *now.at(15, 15) = 0.9;
  for (int step = 0; step < 10; ++step) {
    advance(now, next, {.x = -1e6, .y = 0, .width = 1});
    std::swap(now, next);
  }
  double sum = 0;
  for (int y = 0; y < 30; ++y)
    for (const double u : now.row(y)) sum += u;
  EXPECT_NEAR(sum, 0.9, 1e-12);
  EXPECT_LT(*now.at(15, 15), 0.2);
  EXPECT_DOUBLE_EQ(*now.at(12, 15), *now.at(18, 15));
}

TEST(Plate, IsTheSameToTheLastBitInTiles) {
  constexpr int kCells = 24;
  constexpr int kSteps = 30;
  const Tile all{0, kCells, 0, kCells};
  const Tile left{0, 10, 0, kCells};
  const Tile right{10, kCells, 0, kCells};
  Field whole(all), whole_next(all), a(left), a_next(left), b(right), b_next(right);
  double hottest = 0;
  for (int step = 0; step < kSteps; ++step) {
    const Laser laser = laser_at(step, kSteps, kCells);
    advance(whole, whole_next, laser);
    a.set_column(10, b.column(0));
    b.set_column(-1, a.column(9));
    advance(a, a_next, laser);
    advance(b, b_next, laser);
    std::swap(whole, whole_next);
    std::swap(a, a_next);
    std::swap(b, b_next);
    for (int y = 0; y < kCells; ++y) {
      for (int x = 0; x < kCells; ++x) {
        const double u = x < 10 ? *a.at(x, y) : *b.at(x - 10, y);
        ASSERT_EQ(u, *whole.at(x, y));
        hottest = std::max(hottest, u);
      }
    }
  }
  EXPECT_GT(hottest, 2);
  EXPECT_LT(hottest, 4);
}

}  // namespace
