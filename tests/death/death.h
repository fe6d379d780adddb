#ifndef ROAM_TESTS_DEATH_DEATH_H_
#define ROAM_TESTS_DEATH_DEATH_H_

#include "tests/support/hidden.h"

// Broken contracts. Each body runs in a thread named "victim" on the last rank and must end the
// whole job; BUILD says which facts its message must have.
//
//   DEATH(double_free) { ... }
namespace roam_test {

struct DeathRegistration {
  DeathRegistration(const char* name, void (*body)());
};

}  // namespace roam_test

#define DEATH(function)                                                                        \
  static void function();                                                                      \
  static const ::roam_test::DeathRegistration registration_of_##function(#function, function); \
  static void function()

#endif  // ROAM_TESTS_DEATH_DEATH_H_
