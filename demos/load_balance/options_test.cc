#include "demos/load_balance/options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

Options parse(std::vector<std::string> words) {
  words.insert(words.begin(), "load_balance");
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return parse_options(static_cast<int>(words.size()), argv.data());
}

std::string refusal(const std::vector<std::string>& words) {
  try {
    parse(words);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(Options, ReadsEachOne) {
  const Options options =
      parse({"--input", "a", "--input=b", "--output", "o", "--bytes", "3K", "--piece=2M",
             "--threads-per-rank", "5", "--level", "1", "--no-balance"});
  EXPECT_EQ(options.inputs, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(options.output, "o");
  EXPECT_EQ(options.bytes, 3072u);
  EXPECT_EQ(options.piece_bytes, 2u << 20);
  EXPECT_EQ(options.threads_per_rank, 5);
  EXPECT_EQ(options.level, 1);
  EXPECT_FALSE(options.balance);
  EXPECT_TRUE(parse({"--help"}).help);
}

TEST(Options, RefusalsNameTheOptionTheValueAndWhatIsAllowed) {
  EXPECT_EQ(
      refusal({"--bytes", "x"}),
      "--bytes: 'x' is no size: give a number of bytes from 1 to 2^62; K, M or G may follow it");
  EXPECT_NE(refusal({"--piece=1.5M"}).find("--piece: '1.5M'"), std::string::npos);
  EXPECT_EQ(refusal({"--level", "10"}),
            "--level: '10' is not allowed: give a whole number from 1 to 9");
  EXPECT_NE(refusal({"--threads-per-rank", "3x"}).find("'3x'"), std::string::npos);
  EXPECT_NE(refusal({"--nothing"}).find("--nothing"), std::string::npos);
  EXPECT_NE(refusal({"-q"}).find("-q"), std::string::npos);
  EXPECT_NE(refusal({"--output"}).find("--output"), std::string::npos);
  EXPECT_NE(refusal({"--input", "a", "dir"}).find("dir"), std::string::npos);
}

}  // namespace
