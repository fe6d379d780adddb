#include "demos/pic/options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "demos/common/arguments.h"

namespace {

Options parse(std::vector<std::string> words) {
  words.insert(words.begin(), "pic");
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return parse_options(static_cast<int>(words.size()), argv.data());
}

TEST(Options, ReadsEachOne) {
  const Options options = parse({"--steps=10", "--grid=100", "--particles=5000", "--k=0", "--m",
                                 "1", "--distribution=patch:0,9,0,9", "--threads-per-rank=3",
                                 "--balance-every=2", "--no-balance", "--load=time", "--checksum"});
  EXPECT_EQ(options.problem.steps, 10);
  EXPECT_EQ(options.problem.moves(), 11);
  EXPECT_EQ(options.problem.cells, 100);
  EXPECT_EQ(options.problem.k, 0);
  EXPECT_EQ(options.problem.m, 1);
  EXPECT_EQ(options.problem.balance_every, 2);
  EXPECT_DOUBLE_EQ(options.problem.distribution.mean(9, 9), 50);
  EXPECT_EQ(options.threads_per_rank, 3);
  EXPECT_TRUE(options.problem.load_is_time);
  EXPECT_FALSE(parse({}).problem.load_is_time);
  EXPECT_TRUE(options.checksum);
  EXPECT_FALSE(parse({}).checksum);
  EXPECT_TRUE(options.runs.without);
  EXPECT_FALSE(options.runs.with);
}

TEST(Options, RefusesWhatTheKernelCannotDo) {
  auto refusal = [](const std::vector<std::string>& words) -> std::string {
    try {
      parse(words);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refusal({"--load=x"}), "--load: 'x' is not known: give particles or time");
  EXPECT_EQ(refusal({"--grid=5"}), "--grid: '5' is not allowed: it must be even");
  // A step must be shorter than the grid.
  EXPECT_EQ(refusal({"--grid=10", "--k=4"}), "");
  EXPECT_EQ(refusal({"--grid=10", "--k=5"}),
            "--k: '5' is not allowed: give a whole number from 0 to 4");
  EXPECT_EQ(refusal({"--grid=10", "--m=10"}),
            "--m: '10' is not allowed: give a whole number from 0 to 9");
}

}  // namespace
