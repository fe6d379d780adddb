#include "demos/common/arguments.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace {

void read(Arguments& arguments, std::vector<std::string> words) {
  words.insert(words.begin(), "program");
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  arguments.read(static_cast<int>(words.size()), argv.data());
}

// What a program answers whose options are --k, a whole number from 0 to 9, --bytes and those of
// the runs; empty if it takes the words.
std::string refusal(const std::vector<std::string>& words) {
  Arguments arguments;
  int k = 0;
  std::uint64_t bytes = 0;
  Runs runs;
  arguments.app().add_option("--k", k)->check(whole_number(0, 9));
  arguments.app().add_option("--bytes", bytes)->transform(byte_size());
  add_runs(arguments.app(), runs);
  try {
    read(arguments, words);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(Arguments, TakesValuesInBothForms) {
  Arguments arguments;
  int k = 1, m = 7;
  std::string kind;
  bool loud = false, quiet = false;
  arguments.app().add_option("--k", k)->check(whole_number(0, 9));
  arguments.app().add_option("--m", m);
  arguments.app().add_option("--kind", kind);
  arguments.app().add_flag("--loud", loud);
  arguments.app().add_flag("--quiet", quiet);
  read(arguments, {"--k=3", "--kind", "a=b", "--loud", "--k", "4"});
  EXPECT_EQ(k, 4);
  EXPECT_EQ(kind, "a=b");
  EXPECT_TRUE(loud);
  EXPECT_FALSE(quiet);
  EXPECT_EQ(m, 7);
  EXPECT_FALSE(arguments.help());
}

TEST(Arguments, HelpComesBeforeAllElse) {
  Arguments arguments;
  read(arguments, {"--what", "--help"});
  EXPECT_TRUE(arguments.help());
}

TEST(Arguments, RefusalsNameTheOptionTheValueAndWhatIsAllowed) {
  EXPECT_EQ(refusal({"--k", "9"}), "");
  EXPECT_EQ(refusal({"--k=0"}), "");
  for (const char* bad : {"10", "-1", "1.5", "1x", " 1", "99999999999", "07", "0x1", "+1"}) {
    EXPECT_EQ(refusal({"--k=" + std::string(bad)}),
              "--k: '" + std::string(bad) + "' is not allowed: give a whole number from 0 to 9");
  }
  EXPECT_NE(refusal({"--k"}).find("--k"), std::string::npos);
  EXPECT_NE(refusal({"--what"}).find("--what"), std::string::npos);
  EXPECT_NE(refusal({"stray"}).find("stray"), std::string::npos);
}

TEST(Arguments, SizesHaveASuffix) {
  for (const char* good : {"1", "3K", "2M", "4611686018427387904"})
    EXPECT_EQ(refusal({"--bytes", good}), "") << good;
  for (const char* bad : {"0", "-1", "1.5M", "1T", "1 M", "010", "0x10", "1KK",
                          "99999999999999999999", "9999999999G", "K", "4611686018427387905"}) {
    EXPECT_EQ(refusal({"--bytes=" + std::string(bad)}),
              "--bytes: '" + std::string(bad) +
                  "' is no size: give a number of bytes from 1 to 2^62; K, M or G may follow it");
  }
}

TEST(Arguments, RunsExcludeEachOther) {
  EXPECT_EQ(refusal({"--balance"}), "");
  EXPECT_NE(refusal({"--balance", "--no-balance"}).find("balance"), std::string::npos);
  EXPECT_NE(refusal({"--compare", "--no-balance"}), "");
  Arguments arguments;
  Runs runs;
  add_runs(arguments.app(), runs);
  read(arguments, {"--no-balance"});
  EXPECT_TRUE(runs.without);
  EXPECT_FALSE(runs.with);
}

TEST(Arguments, NumbersHaveCommasBetweenThem) {
  EXPECT_EQ(parse_numbers("1.0,3"), (std::vector<double>{1, 3}));
  for (const char* bad : {"", "1,", ",1", "1;2", "x", "1 ,2"})
    EXPECT_FALSE(parse_numbers(bad)) << bad;
}

}  // namespace
