#include "runtime/trace/progress.h"

#include <gtest/gtest.h>

namespace roam::runtime {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(Progress, AddsUpWhatTheRanksSaid) {
  Progress progress(2, 5 * kSecond);
  progress.hear(0, 15 * kSecond,
                {.alive = 30, .made = 100, .ended = 40, .moved = 7, .busy_permille = 1000});
  progress.hear(1, 15 * kSecond, {.alive = 20, .moved_bytes = 2048, .busy_permille = 500});
  EXPECT_EQ(progress.line(15 * kSecond, 2 * kSecond),
            "10 s: 60 threads alive (20 to 30 a rank), 100 made, 40 ended, 7 moves (2 KiB), ranks "
            "75 % busy");
}

TEST(Progress, NamesTheFirstRanksThatSayNothing) {
  Progress progress(8, 0);
  progress.hear(0, 10 * kSecond, {});
  progress.hear(3, 4 * kSecond, {});
  const std::string line = progress.line(10 * kSecond, 5 * kSecond);
  EXPECT_NE(line.find("rank 1 has said nothing for 10 s"), std::string::npos) << line;
  EXPECT_NE(line.find("rank 3 has said nothing for 6 s"), std::string::npos) << line;
  EXPECT_NE(line.find("nor have 3 more"), std::string::npos) << line;
  EXPECT_EQ(line.find("rank 0 has"), std::string::npos) << line;
}

}  // namespace
}  // namespace roam::runtime
