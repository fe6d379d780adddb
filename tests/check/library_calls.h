#ifndef ROAM_TESTS_CHECK_LIBRARY_CALLS_H_
#define ROAM_TESTS_CHECK_LIBRARY_CALLS_H_

#include <span>

// Calls of the C and C++ libraries, each in a body of its own that ends as it began: what it opens
// it closes, what it gets it frees. So of what it kept nothing may be in the caller's memory.
namespace roam_test {

struct Call {
  const char* name;
  void (*body)();
};

std::span<const Call> calls_of_stdio();
std::span<const Call> calls_of_libc();
std::span<const Call> calls_of_names();
std::span<const Call> calls_of_cpp();
std::span<const Call> calls_of_languages();
std::span<const Call> calls_of_streams();
std::span<const Call> calls_of_system();
std::span<const Call> calls_of_text();

// Keeps the compiler from leaving out what made `value`.
template <class T>
void use(const T& value) {
  asm volatile("" ::"g"(&value) : "memory");
}

}  // namespace roam_test

#endif  // ROAM_TESTS_CHECK_LIBRARY_CALLS_H_
