#include "base/float_modes.h"

#include <gtest/gtest.h>
#include <xmmintrin.h>

#include <cfenv>

namespace roam {
namespace {

// Not known when it is compiled.
volatile double one = 1, small = 0x1p-60, least = 0x1p-1074;
volatile long double long_one = 1, long_small = 0x1p-90L;

constexpr unsigned kFlushToZero = 0x8000, kDenormalsAreZeros = 0x40;

TEST(FloatModes, AreZeroAsAProgramBegins) {
  EXPECT_EQ(FloatModes::now().bits(), 0);
  EXPECT_EQ(FloatModes::now(), FloatModes());
}

TEST(FloatModes, AreThoseOfAScope) {
  std::fesetround(FE_UPWARD);
  const FloatModes upward = FloatModes::now();
  std::fesetround(FE_TONEAREST);
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | kFlushToZero | kDenormalsAreZeros);
  const FloatModes flushing = FloatModes::now();
  _mm_setcsr(before);
  EXPECT_NE(upward, flushing);
  EXPECT_NE(upward.bits(), 0);
  {
    const FloatModes::Scope scope(upward);
    EXPECT_EQ(std::fegetround(), FE_UPWARD);
    EXPECT_EQ(one + small, 0x1.0000000000001p0);
    EXPECT_EQ(long_one + long_small, 0x1.0000000000000002p0L);
    {
      const FloatModes::Scope inner(flushing);
      EXPECT_EQ(std::fegetround(), FE_TONEAREST);
      EXPECT_EQ(one + small, 1);
      EXPECT_EQ(long_one + long_small, 1);
      EXPECT_EQ(least * 2, 0);
      const FloatModes::Scope usual{FloatModes()};
      EXPECT_EQ(least * 2, 0x1p-1073);
    }
    EXPECT_EQ(std::fegetround(), FE_UPWARD);
  }
  EXPECT_EQ(FloatModes::now().bits(), 0);
  EXPECT_EQ(least * 2, 0x1p-1073);
}

TEST(FloatModes, LeaveWhatTrapsAndWhatWasSeen) {
  std::feclearexcept(FE_ALL_EXCEPT);
  std::fesetround(FE_DOWNWARD);
  const FloatModes downward = FloatModes::now();
  std::fesetround(FE_TONEAREST);
  feenableexcept(FE_DIVBYZERO);
  {
    const FloatModes::Scope scope(downward);
    EXPECT_EQ(fegetexcept(), FE_DIVBYZERO);
    EXPECT_EQ(one + small, 1);
  }
  EXPECT_EQ(fegetexcept(), FE_DIVBYZERO);
  EXPECT_EQ(std::fetestexcept(FE_ALL_EXCEPT), FE_INEXACT);
  fedisableexcept(FE_ALL_EXCEPT);
}

}  // namespace
}  // namespace roam
