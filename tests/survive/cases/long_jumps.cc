// setjmp before the move, longjmp after it. glibc keeps addresses in a jmp_buf mangled with a
// secret of the process.
#include <csetjmp>
#include <cstdint>

#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

SURVIVE_CASE(longjmp_within_one_rank) {
  move();
  std::jmp_buf buffer;
  volatile int jumps = 0;
  if (setjmp(buffer) < 3) {
    jumps = jumps + 1;
    std::longjmp(buffer, jumps);
  }
  expect_eq(int{jumps}, 3, "jumps");
}

SURVIVE_CASE(longjmp_to_a_jmp_buf_from_before_the_move, .group = Group::setjmp) {
  std::jmp_buf buffer;
  volatile std::uint64_t word = move.seed();
  volatile int jumps = 0;
  const int from = setjmp(buffer);
  expect_eq(from, int{jumps}, "what setjmp returned");
  if (from < 3) {
    jumps = jumps + 1;
    move();
    std::longjmp(buffer, jumps);
  }
  expect_eq(std::uint64_t{word}, move.seed(), "word of the frame");
}

}  // namespace
}  // namespace roam_test
