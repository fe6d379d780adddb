#include "demos/pic/distribution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>

#include "demos/common/arguments.h"

namespace {

constexpr int kCells = 100;
constexpr double kParticles = 50'000;

TEST(Distribution, MeansAreThoseOfTheDefinition) {
  const double L = kCells;
  const Distribution geometric("geometric:0.99", kCells, kParticles);
  const double A = kParticles * (1 - 0.99) / (1 - std::pow(0.99, L)) / L;
  EXPECT_NEAR(geometric.mean(0, 7), A, 1e-9);
  EXPECT_NEAR(geometric.mean(60, 99), A * std::pow(0.99, 60), 1e-9);

  const Distribution sinusoidal("sinusoidal", kCells, kParticles);
  EXPECT_NEAR(sinusoidal.mean(30, 0),
              2 * std::pow(std::cos(std::numbers::pi * 30 / L), 2) * kParticles / L / L, 1e-9);

  const Distribution linear("linear:1.0,3.0", kCells, kParticles);
  EXPECT_NEAR(linear.mean(50, 1) / linear.mean(0, 2), 2.5 / 3, 1e-9);

  const Distribution patch("patch:0,20,10,20", kCells, kParticles);
  EXPECT_NEAR(patch.mean(20, 10), kParticles / 21 / 11, 1e-9);
  for (const auto& [x, y] : {std::pair{21, 10}, {5, 9}, {5, 21}, {99, 99}})
    EXPECT_EQ(patch.mean(x, y), 0);
}

TEST(Distribution, CountsAreWholeNumbersWithThoseMeans) {
  for (const char* text :
       {"geometric:0.99", "geometric:1.05", "sinusoidal", "linear:1.0,3.0", "patch:0,20,10,20"}) {
    const Distribution distribution(text, kCells, kParticles);
    double means = 0;
    long counts = 0;
    for (int x = 0; x < kCells; ++x) {
      for (int y = 0; y < kCells; ++y) {
        means += distribution.mean(x, y);
        counts += distribution.count(x, y);
        EXPECT_LT(std::abs(distribution.count(x, y) - distribution.mean(x, y)), 1);
      }
    }
    EXPECT_NEAR(means, kParticles, 1e-6) << text;
    // The variance of a cell is at most 1/4: this is 4 standard deviations.
    EXPECT_NEAR(static_cast<double>(counts), kParticles, 4 * 0.5 * kCells) << text;
  }
}

TEST(Distribution, RefusalsNameTheTextAndTheReason) {
  auto refusal = [](const std::string& text) -> std::string {
    try {
      Distribution(text, kCells, kParticles);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refusal("flat"),
            "--distribution: 'flat' is not known: give geometric, sinusoidal, linear or patch");
  EXPECT_EQ(refusal("linear:3,1"),
            "--distribution: 'linear:3,1' would have fewer than no particles somewhere");
  for (const char* bad :
       {"", "geometric", "geometric:", "geometric:0", "geometric:-1", "geometric:x",
        "geometric:1,2", "geometric:nan", "sinusoidal:1", "linear:1", "patch:0,1,2",
        "patch:0,100,0,1", "patch:5,4,0,1", "patch:0,1,5,3", "patch:nan,1,0,1"}) {
    EXPECT_NE(refusal(bad).find("--distribution: '" + std::string(bad) + "' "), std::string::npos)
        << bad;
  }
}

}  // namespace
