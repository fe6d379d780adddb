#include "mpi/calls/handle_table.h"

#include <gtest/gtest.h>

#include <memory>

namespace roam::mpi {
namespace {

TEST(HandleTable, FindsWhatItKeepsByItsHandle) {
  HandleTable<int, Kind::kComm> table;
  const int a = table.add(std::make_unique<int>(1)), b = table.add(std::make_unique<int>(2));
  EXPECT_EQ(static_cast<std::uint32_t>(a), 0x84000000u);
  ASSERT_NE(table.find(b), nullptr);
  EXPECT_EQ(*table.find(b), 2);
  EXPECT_EQ(table.count(), 2u);
}

TEST(HandleTable, KnowsNothingOfOtherKindsNorOfWhatIsGone) {
  HandleTable<int, Kind::kComm> table;
  HandleTable<int, Kind::kGroup> groups;
  const int a = table.add(std::make_unique<int>(1));
  EXPECT_EQ(groups.find(a), nullptr);
  EXPECT_EQ(table.find(0x04000000), nullptr);
  EXPECT_EQ(table.find(a + 1), nullptr);
  EXPECT_EQ(*table.remove(a), 1);
  EXPECT_EQ(table.find(a), nullptr);
  EXPECT_EQ(table.remove(a), nullptr);
  EXPECT_EQ(table.count(), 0u);
  EXPECT_TRUE(table.handles().empty());
  EXPECT_EQ(table.add(std::make_unique<int>(3)), a);
  EXPECT_EQ(table.handles(), std::vector<int>{a});
}

TEST(HandleTable, GivesDatatypesNoHandleOfAPairOfMpich) {
  HandleTable<int, Kind::kDatatype> table;
  const int first = table.add(std::make_unique<int>(7));
  EXPECT_GT(static_cast<std::uint32_t>(first), 0x8c000004u);
  EXPECT_EQ(*table.find(first), 7);
  EXPECT_EQ(table.find(static_cast<int>(0x8c000000u)), nullptr);
}

}  // namespace
}  // namespace roam::mpi
