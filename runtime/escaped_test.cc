#include "runtime/escaped.h"

#include <gtest/gtest.h>

#include <cstdlib>
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
  return describe(std::make_exception_ptr(e));
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

void throw_where_it_must_not() noexcept { throw std::runtime_error("left main"); }

TEST(TerminateHandlerDeathTest, AnUncaughtExceptionIsOneMessage) {
  EXPECT_EXIT(
      {
        const TerminateHandler handler;
        throw_where_it_must_not();
      },
      testing::ExitedWithCode(1), "^roam: uncaught std::runtime_error: left main\n$");
}

TEST(TerminateHandlerDeathTest, TerminateWithoutAnExceptionSaysSo) {
  EXPECT_EXIT(
      {
        const TerminateHandler handler;
        std::terminate();
      },
      testing::ExitedWithCode(1), "without an exception");
}

TEST(TerminateHandlerDeathTest, OfAnErrorThatAllRanksThrowOnlyOneSpeaks) {
  const auto end_as = [](const char* rank) {
    setenv("PMI_RANK", rank, 1);
    {
      const TerminateHandler handler;
      TerminateHandler::set_collective(true);
    }
    throw_where_it_must_not();  // after the handler's scope, as from main
  };
  EXPECT_EXIT(end_as("0"), testing::ExitedWithCode(1), "left main");
  EXPECT_EXIT(end_as("1"), testing::ExitedWithCode(1), "^$");
}

TEST(TerminateHandler, PutsTheHandlerBackThatWasThereBefore) {
  const std::terminate_handler mine = [] { std::_Exit(3); };
  const std::terminate_handler before = std::set_terminate(mine);
  {
    const TerminateHandler handler;
    EXPECT_NE(std::get_terminate(), mine);
  }
  EXPECT_EQ(std::get_terminate(), mine);
  std::set_terminate(before);
}

}  // namespace
}  // namespace roam::runtime
