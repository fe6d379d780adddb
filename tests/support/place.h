#ifndef ROAM_TESTS_SUPPORT_PLACE_H_
#define ROAM_TESTS_SUPPORT_PLACE_H_

namespace roam_test {

// A line of a source. As std::source_location, which Clang 14 has not with GCC's library.
struct Place {
  const char* file;
  int line;

  // Of the call whose default argument this is.
  static constexpr Place here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

}  // namespace roam_test

#endif  // ROAM_TESTS_SUPPORT_PLACE_H_
