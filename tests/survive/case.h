#ifndef ROAM_TESTS_SURVIVE_CASE_H_
#define ROAM_TESTS_SURVIVE_CASE_H_

#include <cstddef>
#include <vector>

#include "tests/survive/mover.h"

// "Set some state, be moved, verify the state":
//
//   SURVIVE_CASE(a_string) {
//     const std::string text = Random(move.seed()).text(1000);
//     move();
//     expect_eq(text, Random(move.seed()).text(1000), "the string");
//   }
//
// The body runs in a thread of its own, once in each mode, starting on each rank in turn. It fails
// by throwing.
namespace roam_test {

// Which of the targets runs a case.
enum class Group {
  usual,
  heavy,   // moves hundreds of MiB
  large,   // needs several GiB of memory
  setjmp,  // jumps after the move to a jmp_buf made before it
};

struct Case {
  const char* name;
  void (*body)(Mover& move);
  Group group = Group::usual;
  std::size_t stack_bytes = 256 * 1024;
};

struct CaseRegistration {
  explicit CaseRegistration(const Case& one);
};

// All cases, by name.
const std::vector<Case>& cases();

}  // namespace roam_test

// Optional: .group = ..., .stack_bytes = ...
#define SURVIVE_CASE(function, ...)                                                       \
  static void function(::roam_test::Mover& move);                                         \
  static const ::roam_test::CaseRegistration registration_of_##function(                  \
      ::roam_test::Case{.name = #function, .body = function __VA_OPT__(, ) __VA_ARGS__}); \
  static void function([[maybe_unused]] ::roam_test::Mover& move)

#endif  // ROAM_TESTS_SURVIVE_CASE_H_
