#include "mpi/image/environment.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <string>
#include <vector>

namespace roam::mpi {
namespace {

std::vector<std::string> lines_of(Environment& environment) {
  std::vector<std::string> lines;
  for (char** line = environment.list(); *line != nullptr; ++line) lines.emplace_back(*line);
  return lines;
}
using Lines = std::vector<std::string>;

// As libc does it: programs that change a variable all the time do not grow.
TEST(Environment, KeepsEachLineOnce) {
  Environment environment({"HOME=/root"});
  environment.set("A", "zero");
  environment.set("A", "one");
  const char* const one = environment.get("A");
  const std::size_t before = mallinfo2().uordblks;
  for (int i = 0; i < 1'000'000; ++i) environment.set("A", i % 2 == 0 ? "zero" : "one");
  EXPECT_LT(mallinfo2().uordblks, before + 10'000);
  EXPECT_EQ(environment.get("A"), one);
}

TEST(Environment, IsSetAndUnset) {
  Environment environment({"A=1", "AB=2", "EMPTY="});
  EXPECT_STREQ(environment.get("A"), "1");
  EXPECT_STREQ(environment.get("AB"), "2");
  EXPECT_STREQ(environment.get("EMPTY"), "");
  EXPECT_EQ(environment.get("B"), nullptr);
  environment.set("A", "other");
  environment.set("B", "new");
  EXPECT_EQ(lines_of(environment), (Lines{"A=other", "AB=2", "EMPTY=", "B=new"}));
  environment.unset("AB");
  environment.unset("none");
  environment.unset("B");
  environment.set("C", "last");
  EXPECT_EQ(lines_of(environment), (Lines{"A=other", "EMPTY=", "C=last"}));
  char own[] = "C=own";
  environment.put(own);
  own[2] = 'O';
  EXPECT_STREQ(environment.get("C"), "Own") << "putenv gives the line itself";
  environment.clear();
  EXPECT_EQ(lines_of(environment), Lines{});
  environment.set("D", "");
  EXPECT_EQ(lines_of(environment), Lines{"D="});
}

TEST(Environment, TheProgramsVariableIsTheOneThatCounts) {
  Environment environment({"A=1"});
  char** variable = nullptr;
  environment.put_at(&variable);
  ASSERT_NE(variable, nullptr);
  environment.set("B", "2");
  EXPECT_STREQ(variable[1], "B=2");
  char line[] = "OWN=yes";
  char* list[] = {line, nullptr};
  variable = list;
  EXPECT_EQ(environment.get("A"), nullptr);
  EXPECT_STREQ(environment.get("OWN"), "yes");
  environment.set("C", "3");
  EXPECT_EQ(lines_of(environment), (Lines{"OWN=yes", "C=3"}));
  EXPECT_EQ(list[1], nullptr) << "the program's list has no room for more";
  environment.unset("OWN");
  EXPECT_EQ(lines_of(environment), Lines{"C=3"});
}

}  // namespace
}  // namespace roam::mpi
