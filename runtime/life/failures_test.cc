#include "runtime/life/failures.h"

#include <gtest/gtest.h>

#include <exception>
#include <future>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

#include "roam/error.h"

namespace solver {
struct Diverged : std::runtime_error {
  using std::runtime_error::runtime_error;
};
template <class T>
struct Weird {
  T value;
};
}  // namespace solver

namespace roam::runtime {
namespace {

template <class E>
std::string described(E e) {
  return describe_exception(std::make_exception_ptr(e));
}

TEST(Describe, NamesTheTypeAndWhatItSays) {
  EXPECT_EQ(described(std::runtime_error("no luck")), "std::runtime_error: no luck");
  EXPECT_EQ(described(solver::Diverged("at step 7")), "solver::Diverged: at step 7");
  EXPECT_EQ(described(Error(Errc::pinned, "an open FILE*")), "roam::Error: an open FILE*");
  EXPECT_EQ(described(std::bad_alloc()), "std::bad_alloc: std::bad_alloc");
  EXPECT_EQ(described(std::runtime_error("")), "std::runtime_error: ");
  const std::string longer(100'000, 'x');
  EXPECT_EQ(described(std::runtime_error(longer)), "std::runtime_error: " + longer);
}

TEST(Describe, NamesTheTypeOfWhatIsNoStdException) {
  EXPECT_EQ(described(42), "int");
  EXPECT_EQ(described(solver::Weird<double>{1}), "solver::Weird<double>");
  EXPECT_NE(described(std::string("text")).find("string"), std::string::npos);
}

TEST(Describe, LeavesTheExceptionThatIsBeingHandledAlone) {
  try {
    throw std::runtime_error("outer");
  } catch (const std::runtime_error&) {
    described(1);
    try {
      throw;
    } catch (const std::runtime_error& again) {
      EXPECT_STREQ(again.what(), "outer");
    }
  }
  EXPECT_EQ(std::current_exception(), nullptr);
}

}  // namespace
}  // namespace roam::runtime
