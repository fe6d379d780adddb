#ifndef ROAM_TESTS_SUPPORT_HIDDEN_H_
#define ROAM_TESTS_SUPPORT_HIDDEN_H_

namespace roam_test {

// Keeps the compiler from seeing what a pointer points at, so that it does not warn of, or remove,
// what is wrong; or what is right but has no use: a compiler may leave out an allocation whose
// block nobody looks at, and take it for one that succeeded, as Clang does.
template <class T>
T* hidden(T* pointer) {
  asm volatile("" : "+r"(pointer) : : "memory");
  return pointer;
}

}  // namespace roam_test

#endif  // ROAM_TESTS_SUPPORT_HIDDEN_H_
