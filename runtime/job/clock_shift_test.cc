#include "runtime/job/clock_shift.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace roam::runtime {
namespace {

constexpr std::int64_t kS = 1'000'000'000;

TEST(ClockShift, AFreshJobHasTheClockOfRankZero) {
  EXPECT_EQ(first_shift(0, 50 * kS), 0);
  const ClockSaid said{"boot a", 50 * kS, 0};
  EXPECT_EQ(shift_after(said, "boot a", 51 * kS), 0);
  // A machine that was started later, and one that was started earlier.
  EXPECT_EQ(7 * kS + shift_after(said, "boot b", 7 * kS), 50 * kS);
  EXPECT_EQ(900 * kS + shift_after(said, "boot c", 900 * kS), 50 * kS);
  EXPECT_EQ(7 * kS + shift_after({"", 50 * kS, 0}, "", 7 * kS), 50 * kS);
}

TEST(ClockShift, ARestartGoesOnFromTheCheckpoint) {
  for (const std::int64_t now : {3 * kS, 8000 * kS}) {
    const std::int64_t shift = first_shift(1000 * kS, now);
    EXPECT_EQ(now + shift, 1000 * kS);
    const ClockSaid said{"boot a", now, shift};
    EXPECT_EQ(shift_after(said, "boot a", now + kS), shift);
    EXPECT_EQ(44 * kS + shift_after(said, "boot b", 44 * kS), 1000 * kS);
  }
}

TEST(ClockShift, IsToldAsText) {
  const ClockSaid said{"a b\nc", INT64_MAX, INT64_MIN};
  const ClockSaid heard = unpack_clock(pack_clock(said));
  EXPECT_EQ(heard.name, said.name);
  EXPECT_EQ(heard.now_ns, said.now_ns);
  EXPECT_EQ(heard.shift_ns, said.shift_ns);
  EXPECT_EQ(unpack_clock("x").name, "");
  EXPECT_EQ(unpack_clock(pack_clock({"", 1, 2})).shift_ns, 2);
}

}  // namespace
}  // namespace roam::runtime
