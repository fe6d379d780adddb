#include "runtime/job/terminate.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <stdexcept>

namespace roam::runtime {
namespace {

void throw_error() { throw std::runtime_error("left main"); }
void throw_where_it_must_not() noexcept { throw_error(); }

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

// Where rank 0 says the same, the launcher ends the others meanwhile: tests/ranks.
TEST(TerminateHandlerDeathTest, OfAnErrorThatAllRanksMayThrowOthersSpeakLater) {
  const auto end_as = [](const char* rank) {
    setenv("PMI_RANK", rank, 1);
    {
      const TerminateHandler handler;
      TerminateHandler::set_collective(true);
    }
    throw_where_it_must_not();  // after the handler's scope, as from main
  };
  EXPECT_EXIT(end_as("0"), testing::ExitedWithCode(1), "left main");
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EXIT(end_as("1"), testing::ExitedWithCode(1), "left main");
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(900));
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
