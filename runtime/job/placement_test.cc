#include "runtime/job/placement.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace roam::runtime {
namespace {

class Placement : public testing::Test {
 protected:
  Placement() {
    for (const char* name : kNames) unsetenv(name);
  }
  ~Placement() override {
    for (const char* name : kNames) unsetenv(name);
  }
  static constexpr const char* kNames[] = {"OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY",
                                           "KMP_AFFINITY"};
};

TEST_F(Placement, SaysWhatBoundTheRanksAlike) {
  setenv("OMP_PROC_BIND", "close", 1);
  const std::string why = bound_alike(4, {1u << 3}, 8);
  EXPECT_NE(why.find("4 ranks of this machine share 1 of its 8 cores (number 3)"),
            std::string::npos)
      << why;
  EXPECT_NE(why.find("OMP_PROC_BIND=close"), std::string::npos) << why;
  EXPECT_NE(why.find("-bind-to core"), std::string::npos) << why;
}

TEST_F(Placement, IsRightWhereEachRankHasACore) {
  setenv("OMP_PROC_BIND", "true", 1);
  EXPECT_EQ(bound_alike(2, {3}, 8), "");
  EXPECT_EQ(bound_alike(1, {1}, 8), "");
}

TEST_F(Placement, IsRightWhereTheMachineHasNoMoreCores) {
  setenv("OMP_PROC_BIND", "true", 1);
  EXPECT_EQ(bound_alike(4, {3}, 2), "");
  EXPECT_NE(bound_alike(4, {1}, 2), "");
}

TEST_F(Placement, IsNobodysFaultWithoutACauseThatIsKnown) {
  EXPECT_EQ(bound_alike(4, {1}, 8), "");
  setenv("OMP_PROC_BIND", "false", 1);
  setenv("OMP_PLACES", "", 1);
  EXPECT_EQ(bound_alike(4, {1}, 8), "");
  setenv("GOMP_CPU_AFFINITY", "0", 1);
  EXPECT_NE(bound_alike(4, {1}, 8), "");
}

}  // namespace
}  // namespace roam::runtime
