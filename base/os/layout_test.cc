#include "base/os/layout.h"

#include <gtest/gtest.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/test_child.h"

namespace roam::os {
namespace {

// What this program prints when it is started again with --facts: how its layout was found, and its
// facts.
std::string report() {
  std::string all = "layout " + std::to_string(static_cast<int>(layout())) + "\n";
  for (const std::string& fact : layout_facts()) all += fact + "\n";
  return all;
}

// Starts this program again with randomisation on, as a shell would.
std::string start_again(const char* reexec) {
  int status = 0;
  const std::string out = written_by_child(
      [reexec](int fd) {
        dup2(fd, STDOUT_FILENO);
        close(fd);
        personality(static_cast<unsigned long>(personality(0xffffffff)) & ~ADDR_NO_RANDOMIZE);
        unsetenv("ROAM_REEXECED");
        unsetenv("ROAM_REEXEC");
        if (reexec != nullptr) setenv("ROAM_REEXEC", reexec, 1);
        execl("/proc/self/exe", "layout_test", "--facts", static_cast<char*>(nullptr));
        _exit(127);
      },
      &status);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  return out;
}

TEST(Layout, NamesTheProgramThreadStorageErrnoAndTheProcessor) {
  std::string all;
  for (const std::string& fact : layout_facts()) {
    EXPECT_FALSE(fact.empty());
    all += fact + "\n";
  }
  char program[4096] = {};
  ASSERT_GT(readlink("/proc/self/exe", program, sizeof program - 1), 0);
  for (const char* part : {static_cast<const char*>(program), "libc.so", "build-id",
                           "thread-local storage", "errno", "cpu features"}) {
    EXPECT_NE(all.find(part), std::string::npos) << part << " is not in\n" << all;
  }
}

TEST(Layout, TheFactsAreTheSameEachTimeTheyAreAsked) { EXPECT_EQ(layout_facts(), layout_facts()); }

TEST(Layout, ModulesOfOneBuildAtOnePlaceAreTheSameUnderAnyName) {
  const std::string here = "module /lib/a.so at 0x7ffff7b00000, build-id 11aa";
  EXPECT_TRUE(is_same_fact(here, here));
  EXPECT_TRUE(is_same_fact(here, "module /usr/lib/at 1/a.so at 0x7ffff7b00000, build-id 11aa"));
  EXPECT_FALSE(is_same_fact(here, "module /lib/a.so at 0x7ffff7b01000, build-id 11aa"));
  EXPECT_FALSE(is_same_fact(here, "module /lib/a.so at 0x7ffff7b00000, build-id 11ab"));
  EXPECT_FALSE(is_same_fact(here, "errno at 0x7ffff7b00000"));
  const std::string plain = "module /lib/plain.so at 0x7ffff7b00000, build-id none";
  EXPECT_TRUE(is_same_fact(plain, plain));
  EXPECT_FALSE(is_same_fact(plain, "module /lib/other.so at 0x7ffff7b00000, build-id none"));
  EXPECT_FALSE(is_same_fact("errno at 0x1", "errno at 0x2"));
  for (const std::string& fact : layout_facts())
    EXPECT_EQ(module_of(fact).has_value(), fact.starts_with("module ")) << fact;
}

TEST(Layout, AProgramThatIsStartedWithRandomisationFindsTheSameFactsEachTime) {
  if (layout() != Layout::kFixed) GTEST_SKIP() << layout_cure();
  const std::string first = start_again(nullptr);
  EXPECT_EQ(first.substr(0, 9), "layout 0\n");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(start_again(nullptr), first);
}

TEST(Layout, RandomisationStaysOnWhereTheUserSaysSo) {
  EXPECT_EQ(start_again("0").substr(0, 9), "layout 1\n");
}

TEST(Layout, EachOutcomeHasACure) { EXPECT_GT(std::strlen(layout_cure()), 20u); }

}  // namespace
}  // namespace roam::os

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--facts") == 0) {
    std::fputs(roam::os::report().c_str(), stdout);
    return 0;
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
