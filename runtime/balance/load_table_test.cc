#include "runtime/balance/load_table.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>

#include "roam/error.h"
#include "runtime/balance/test_tables.h"

namespace roam::balance {
namespace {

void expect_refusal(const std::function<void()>& call, const std::string& part) {
  try {
    call();
    FAIL() << "not refused, where '" << part << "' is wrong";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::bad_option);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(LoadTable, WithoutThreadsIsAccepted) { check_table(table_of({}, 3)); }

TEST(LoadTable, IsRefusedWithANameOfWhatIsWrong) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const struct {
    const char* message;
    std::function<void(LoadTable&)> spoil;
  } cases[] = {
      {"thread 1 has load nan", [](LoadTable& t) { t.threads[1].load_s = kNan; }},
      {"thread 0 has load -1", [](LoadTable& t) { t.threads[0].load_s = -1; }},
      {"thread 0 has load inf", [](LoadTable& t) { t.threads[0].load_s = kInfinity; }},
      {"sum up", [](LoadTable& t) { t.threads[0].load_s = t.threads[1].load_s = 1e308; }},
      {"thread 1 is on rank 2 of 2", [](LoadTable& t) { t.threads[1].rank = 2; }},
      {"thread 1 is on rank -1 of 2", [](LoadTable& t) { t.threads[1].rank = -1; }},
      {"thread 0 shares block 0 of 0", [](LoadTable& t) { t.threads[0].block = 0; }},
      {"thread 1 shares block -2 of 0", [](LoadTable& t) { t.threads[1].block = -2; }},
      {"no rank", [](LoadTable& t) { t.ranks.clear(); }},
      {"rank 1 has speed 0", [](LoadTable& t) { t.ranks[1].speed = 0; }},
      {"rank 1 has speed nan", [](LoadTable& t) { t.ranks[1].speed = kNan; }},
      {"rank 0 is on node -5", [](LoadTable& t) { t.ranks[0].node = -5; }},
      {"move_s_per_byte is -1", [](LoadTable& t) { t.costs.move_s_per_byte = -1; }},
      {"steps is nan", [](LoadTable& t) { t.costs.steps = kNan; }},
      {"edge 0 goes to thread 2 of 2", [](LoadTable& t) { t.edges[0].to = 2; }},
      {"does not span", [](LoadTable& t) { t.first_edge.pop_back(); }},
      {"does not span", [](LoadTable& t) { t.edges.clear(); }},
      {"falls at thread 1", [](LoadTable& t) { t.first_edge[1] = 5; }},
  };
  for (const auto& [message, spoil] : cases) {
    LoadTable table = table_of({1, 2}, 2);
    table.first_edge = {0, 1, 1};
    table.edges = {{1, 10, 1}};
    check_table(table);
    spoil(table);
    expect_refusal([&] { check_table(table); }, message);
  }
}

TEST(Plan, IsRefusedWhereItCannotBeCarriedOut) {
  LoadTable table = table_of({1, 2}, 2);
  table.ranks[1].memory_bytes = 1'500;
  check_plan(table, {{0, 1}});
  expect_refusal([&] { check_plan(table, {{0}}); }, "for 1 threads, of 2");
  expect_refusal([&] { check_plan(table, {{0, 2}}); }, "thread 1 to rank 2 of 2");
  expect_refusal([&] { check_plan(table, {{1, 1}}); }, "on rank 1, whose limit");
}

TEST(Plan, CountsWhatThreadsShareOnceOnEachRank) {
  LoadTable table = table_of({1, 2, 3}, 2);
  table.block_bytes = {50'000, 7};
  table.threads[0].block = table.threads[1].block = 0;
  table.ranks[1].used_bytes = 30;
  EXPECT_EQ(bytes_on_ranks(table, {{0, 0, 1}}), (std::vector<std::uint64_t>{52'000, 1'030}));
  EXPECT_EQ(bytes_on_ranks(table, {{0, 1, 1}}), (std::vector<std::uint64_t>{51'000, 52'030}));
  table.ranks[1].memory_bytes = 52'000;
  check_plan(table, {{0, 0, 1}});
  expect_refusal([&] { check_plan(table, {{0, 1, 1}}); }, "on rank 1, whose limit");
}

TEST(Plan, MayLeaveARankAboveItsLimitButNotFillItFurther) {
  LoadTable table = table_of({1, 2, 3}, 2);
  table.ranks[0].memory_bytes = 1'500;  // 3,000 are there
  check_plan(table, plan_to_stay(table));
  check_plan(table, {{0, 0, 1}});
  table.threads[2].rank = 1;
  expect_refusal([&] { check_plan(table, {{0, 0, 0}}); }, "on rank 0");
}

}  // namespace
}  // namespace roam::balance
