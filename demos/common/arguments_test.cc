#include "demos/common/arguments.h"

#include <gtest/gtest.h>

#include <functional>

namespace {

Arguments given(std::vector<std::string> words) {
  words.insert(words.begin(), "program");
  std::vector<char*> argv;
  argv.reserve(words.size());
  for (std::string& word : words) argv.push_back(word.data());
  return Arguments(static_cast<int>(words.size()), argv.data());
}

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(Arguments, TakesValuesInBothForms) {
  Arguments arguments = given({"--k=3", "--kind", "a=b", "--loud", "--k", "4"});
  EXPECT_EQ(arguments.whole("--k", 1, 0, 9), 4);
  EXPECT_EQ(arguments.text("--kind"), "a=b");
  EXPECT_TRUE(arguments.flag("--loud"));
  EXPECT_FALSE(arguments.flag("--quiet"));
  EXPECT_EQ(arguments.whole("--m", 7, 0, 9), 7);
  arguments.end();
}

TEST(Arguments, RefusalsNameTheOptionTheValueAndWhatIsAllowed) {
  for (const char* bad : {"", "10", "-1", "1.5", "1x", " 1", "99999999999"}) {
    EXPECT_EQ(refusal([&] {
                given({"--k", bad}).whole("--k", 1, 0, 9);
              }),
              "--k '" + std::string(bad) + "' is not allowed: give a whole number from 0 to 9");
  }
  EXPECT_EQ(refusal([] { given({"--k"}).text("--k"); }), "option '--k' needs a value");
  EXPECT_EQ(refusal([] { given({"--what"}).end(); }), "argument '--what' is not known");
  EXPECT_NE(refusal([] {
              Arguments both = given({"--balance", "--no-balance"});
              take_runs(both);
            }),
            "");
}

TEST(Arguments, NumbersHaveCommasBetweenThem) {
  EXPECT_EQ(parse_numbers("1.0,3"), (std::vector<double>{1, 3}));
  for (const char* bad : {"", "1,", ",1", "1;2", "x", "1 ,2"})
    EXPECT_FALSE(parse_numbers(bad)) << bad;
}

}  // namespace
