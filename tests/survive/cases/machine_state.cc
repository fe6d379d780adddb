// The state of the processor and of the C library that goes with a thread: rounding, MXCSR, x87,
// errno, the signal mask.
#include <fenv.h>
#include <xmmintrin.h>

#include <cerrno>
#include <cfenv>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

double third() {
  volatile double one = 1, three = 3;
  return one / three;
}

long double long_third() {
  volatile long double one = 1, three = 3;
  return one / three;
}

SURVIVE_CASE(rounding_mode_is_the_threads_own) {
  const double nearest = third();
  const long double long_nearest = long_third();
  std::fesetround(FE_UPWARD);
  const double up = third();
  const long double long_up = long_third();
  move();
  expect_eq(std::fegetround(), FE_UPWARD, "rounding mode");
  expect_eq(third(), up, "1/3 rounded up, in SSE");
  expect_eq(long_third(), long_up, "1/3 rounded up, in x87");
  // Another thread, while this one waits for it, has a mode of its own.
  roam::spawn([=] {
    expect_eq(std::fegetround(), FE_UPWARD, "rounding mode of a new thread, as its spawner's");
    std::fesetround(FE_DOWNWARD);
    roam::this_thread::yield();
    expect_eq(std::fegetround(), FE_DOWNWARD, "rounding mode of the other thread");
    expect(third() < up, "1/3 rounded down");
  }).join();
  expect_eq(std::fegetround(), FE_UPWARD, "rounding mode after another thread ran");
  move();
  expect_eq(third(), up, "1/3 rounded up, moved twice");
  std::fesetround(FE_TONEAREST);
  expect_eq(third(), nearest, "1/3");
  expect_eq(long_third(), long_nearest, "1/3 in x87");
  roam::spawn([] {
    expect_eq(std::fegetround(), FE_TONEAREST,
              "rounding mode of a new thread, after one that changed it");
  }).join();
}

SURVIVE_CASE(mxcsr_and_x87_control_word) {
  const unsigned before = _mm_getcsr();
  std::fenv_t saved;
  std::fegetenv(&saved);
  _mm_setcsr(before | 0x8040);  // flush to zero, denormals are zero
  unsigned short x87 = 0x007f;  // single precision
  asm volatile("fldcw %0" : : "m"(x87));
  volatile double tiny = 1e-308;
  move();
  expect_eq(_mm_getcsr() & 0x8040, 0x8040u, "flush-to-zero bits of MXCSR");
  const double flushed = tiny / 100;
  unsigned short now = 0;
  asm volatile("fnstcw %0" : "=m"(now));
  const unsigned precision = now & 0x0300;
  std::fesetenv(&saved);
  _mm_setcsr(before);
  expect_eq(flushed, 0.0, "a denormal");
  expect_eq(precision, 0u, "precision bits of the x87 control word");
  expect(tiny / 100 > 0, "with the old mode it is a denormal again");
}

SURVIVE_CASE(errno_is_kept) {
  errno = 1234;
  move();
  expect_eq(errno, 1234, "errno after the move");
  errno = 0;
  std::strtod("1e999", nullptr);
  move();
  expect_eq(errno, ERANGE, "errno that the library set, after the move");
  std::vector<roam::Thread> others;
  for (int i = 1; i <= 5; ++i) {
    others.push_back(roam::spawn([i, move]() mutable {
      for (int round = 0; round < 10; ++round) {
        errno = 1000 * i + round;
        roam::this_thread::yield();
        expect_eq(errno, 1000 * i + round, "errno after a yield");
      }
      errno = i;
      move();
      expect_eq(errno, i, "errno of one of several threads after its move");
    }));
  }
  errno = 77;
  for (roam::Thread other : others) other.join();
  expect_eq(errno, 77, "errno after the others ran");
}

// Flags of double are in MXCSR, those of long double in the x87's status.
// Inexact is left out: what the runtime computes while a thread suspends raises it too.
int raised() { return std::fetestexcept(FE_ALL_EXCEPT & ~FE_INEXACT); }

double zero() {
  volatile double value = 0;
  return value;
}

SURVIVE_CASE(exception_flags_are_the_threads_own) {
  std::feclearexcept(FE_ALL_EXCEPT);
  volatile double quotient = 1 / zero();
  move();
  expect_eq(raised(), FE_DIVBYZERO, "flags of a division of double by zero");
  volatile long double root = std::sqrt(static_cast<long double>(zero() - 1));
  move();
  expect_eq(raised(), FE_DIVBYZERO | FE_INVALID, "and of a root of a negative long double");
  roam::spawn([move]() mutable {
    std::feclearexcept(FE_ALL_EXCEPT);
    volatile long double large = std::numeric_limits<long double>::max();
    large = large * 2;
    roam::this_thread::yield();
    expect_eq(raised(), FE_OVERFLOW, "flags of the other thread");
    move();
    expect_eq(raised(), FE_OVERFLOW, "flags of the other thread after its move");
  }).join();
  expect_eq(raised(), FE_DIVBYZERO | FE_INVALID, "flags after another thread raised others");
  std::feclearexcept(FE_ALL_EXCEPT);
  move();
  expect_eq(raised(), 0, "flags after they were cleared");
  (void)quotient;
  (void)root;
}

SURVIVE_CASE(exceptions_that_trap_are_the_threads_own) {
  std::feclearexcept(FE_ALL_EXCEPT);
  expect_eq(feenableexcept(FE_DIVBYZERO | FE_INVALID), 0, "what trapped before");
  move();
  expect_eq(fegetexcept(), FE_DIVBYZERO | FE_INVALID, "what traps after the move");
  // What another raises is not this thread's, here or in plain code.
  roam::spawn([move]() mutable {
    fedisableexcept(FE_ALL_EXCEPT);
    volatile long double quotient = 1.0L / static_cast<long double>(zero());
    roam::this_thread::yield();
    move();
    expect(quotient > 1, "the quotient is infinite");
  }).join();
  volatile long double sum = 1.0L + static_cast<long double>(zero());
  move();
  sum = sum + 1.0L;
  expect_eq(fegetexcept(), FE_DIVBYZERO | FE_INVALID, "what traps after another thread ran");
  fedisableexcept(FE_ALL_EXCEPT);
}

sigset_t mask_now() {
  sigset_t mask;
  sigemptyset(&mask);
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return mask;
}

bool blocks(int signal) {
  const sigset_t mask = mask_now();
  return sigismember(&mask, signal) == 1;
}

SURVIVE_CASE(signal_mask_is_the_threads_own) {
  expect(!blocks(SIGUSR2), "nothing is blocked before");
  sigset_t one, before;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR2);
  sigaddset(&one, SIGSEGV);
  expect_eq(pthread_sigmask(SIG_BLOCK, &one, &before), 0, "pthread_sigmask");
  expect(sigismember(&before, SIGUSR2) == 0, "the mask before");
  move();
  expect(blocks(SIGUSR2), "what was blocked is so after the move");
  expect(!blocks(SIGSEGV), "faults are never blocked");
  roam::spawn([move]() mutable {
    expect(blocks(SIGUSR2), "the mask of a new thread is its spawner's");
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    roam::this_thread::yield();
    expect(!blocks(SIGUSR2), "the mask that it set");
    move();
    expect(!blocks(SIGUSR2), "the mask that it set, after its move");
  }).join();
  expect(blocks(SIGUSR2), "what is blocked after another thread ran");
  roam::this_thread::yield();
  expect(blocks(SIGUSR2), "what is blocked after a yield");
  expect_eq(pthread_sigmask(SIG_SETMASK, &before, nullptr), 0, "pthread_sigmask");
  move();
  expect(!blocks(SIGUSR2), "nothing is blocked afterwards");
  roam::spawn([] { expect(!blocks(SIGUSR2), "nothing is blocked in the next thread"); }).join();
}

}  // namespace
}  // namespace roam_test
