#include "base/os/cores.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

namespace roam::os {
namespace {

TEST(Cores, AreThoseOfTheCallingKernelThread) {
  const CoreSet all = allowed_cores();
  ASSERT_GE(count(all), 1);
  EXPECT_LE(count(all), machine_cores());
  std::thread bound([&] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first(all), &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(count(allowed_cores()), 1);
    EXPECT_EQ(first(allowed_cores()), first(all));
  });
  bound.join();
  EXPECT_EQ(allowed_cores(), all);
}

TEST(Cores, HaveTheKernelsNumbers) {
  EXPECT_EQ(first({0, 0, 1ull << 5}), 133);
  EXPECT_EQ(count({3, 0, 1ull << 63}), 3);
  EXPECT_EQ(count({}), 0);
  EXPECT_EQ(first({}), -1);
}

}  // namespace
}  // namespace roam::os
