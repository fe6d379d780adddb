#ifndef ROAM_TESTS_SUPPORT_CHECK_H_
#define ROAM_TESTS_SUPPORT_CHECK_H_

#include <cstring>
#include <exception>
#include <initializer_list>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "roam/error.h"
#include "tests/support/place.h"

// Checks that work inside migrating threads: a failed one throws, and the exception travels through
// join to whoever reports it. (gtest's keep process state, which a thread that moves would leave
// behind.)
namespace roam_test {

class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

[[noreturn]] inline void fail(const std::string& what, const Place& where = Place::here()) {
  const char* slash = std::strrchr(where.file, '/');
  throw Failure(std::string(slash ? slash + 1 : where.file) + ":" + std::to_string(where.line) +
                ": " + what);
}

inline void expect(bool ok, std::string_view what, const Place& where = Place::here()) {
  if (!ok) fail("not so: " + std::string(what), where);
}

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) {
  out << value;
};

template <class T>
std::string show(const T& value) {
  if constexpr (Streamable<T>) {
    std::ostringstream out;
    out.precision(17);
    out << std::boolalpha << value;
    return out.str();
  } else {
    return "(" + std::to_string(sizeof(T)) + " bytes)";
  }
}

template <class Got, class Want>
void expect_eq(const Got& got, const Want& want, std::string_view what,
               const Place& where = Place::here()) {
  if (got == want) return;
  fail(std::string(what) + " is " + show(got) + ", want " + show(want), where);
}

inline void expect_contains(std::string_view text, std::initializer_list<std::string_view> parts,
                            const Place& where = Place::here()) {
  for (std::string_view part : parts) {
    if (text.find(part) != std::string_view::npos) continue;
    fail("the message does not have \"" + std::string(part) + "\": " + std::string(text), where);
  }
}

// Runs `body`, which must throw an E, and returns a copy of it.
template <class E, class Body>
E expect_throws(Body&& body, std::string_view what, const Place& where = Place::here()) {
  try {
    body();
  } catch (const E& error) {
    return error;
  }
  fail(std::string(what) + " did not throw", where);
}

// Runs `body`, which must throw roam::Error(code) with every one of `parts` in its message.
template <class Body>
void expect_error(roam::Errc code, std::initializer_list<std::string_view> parts, Body&& body,
                  const Place& where = Place::here()) {
  const std::string want = std::string("Error(") + roam::to_string(code) + ")";
  try {
    body();
  } catch (const roam::Error& error) {
    if (error.code() != code) {
      fail("threw Error(" + std::string(roam::to_string(error.code())) + ") \"" + error.what() +
               "\", want " + want,
           where);
    }
    expect_contains(error.what(), parts, where);
    return;
  }
  fail("did not throw " + want, where);
}

}  // namespace roam_test

#endif  // ROAM_TESTS_SUPPORT_CHECK_H_
