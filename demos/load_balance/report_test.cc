#include "demos/load_balance/report.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace {

constexpr std::int64_t kMs = 1'000'000;

// A thread that takes a turn of 1 ms in every 2 ms: 10 on rank 0, then, after a move, 5 on rank 1.
Run two_ranks() {
  ::Run run{.balanced = true, .begin_ns = 100 * kMs, .results = {}};
  Result result;
  result.piece = {"/a/<b>&c", 0, 1000};
  for (int i = 0; i < 15; ++i) {
    const std::int64_t begin = run.begin_ns + (2 * i + 1) * kMs;
    result.turns.push_back({i < 10 ? 0 : 1, begin, begin + kMs, kMs});
  }
  result.moves.push_back(
      {0, 1, run.begin_ns + 20 * kMs, run.begin_ns + 20 * kMs + kMs / 2, 1, false});
  run.results.push_back(result);
  return run;
}

TEST(Report, BusyTimeEfficiencyAndMoves) {
  const Summary summary = summarise(two_ranks(), 2);
  EXPECT_NEAR(summary.busy_seconds[0], 0.010, 1e-9);
  EXPECT_NEAR(summary.busy_seconds[1], 0.005, 1e-9);
  EXPECT_NEAR(summary.efficiency, 0.75, 1e-9);
  EXPECT_NEAR(summary.makespan_seconds, 0.030, 1e-9);
  EXPECT_EQ(summary.moved_threads, 1u);
}

TEST(Report, UnitsFitTheValue) {
  EXPECT_EQ(in_bytes(12), "12 B");
  EXPECT_EQ(in_bytes(1536), "1.5 KiB");
  EXPECT_EQ(in_bytes(50.0 * 1024 * 1024), "50 MiB");
  EXPECT_EQ(in_seconds(0.0000031), "3.1 us");
  EXPECT_EQ(in_seconds(0.25), "250 ms");
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({}), 0);
}

// What the balancer sees is not of one moment.
TEST(Report, ProgressNeverPasses100PerCentAndEndsWithIt) {
  const std::vector<double> left = {0.5, 0};
  testing::internal::CaptureStdout();
  Progress progress(true, 1000);
  progress.show(1300, left, 1, false);
  progress.show(400, left, 2, false);  // too soon after it
  progress.show(400, left, 3, true);
  progress.end();
  const std::string shown = testing::internal::GetCapturedStdout();
  EXPECT_EQ(shown.find("130 %"), std::string::npos) << shown;
  EXPECT_NE(shown.find("100 %   seconds of work left by rank:  0.50  0.00   moves: 1\n"),
            std::string::npos)
      << shown;
  EXPECT_EQ(shown.find("moves: 2"), std::string::npos) << shown;
  EXPECT_NE(shown.find("moves: 3\n"), std::string::npos) << "the last is shown: " << shown;
}

TEST(Report, ARunInWhichNothingHappened) {
  ::Run run;
  run.results.emplace_back();
  const Summary summary = summarise(run, 1);
  EXPECT_EQ(summary.efficiency, 1);
  EXPECT_EQ(summary.makespan_seconds, 0);
  EXPECT_EQ(summary.moved_threads, 0u);
}

}  // namespace
