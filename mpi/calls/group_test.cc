#include "mpi/calls/group.h"

#include <gtest/gtest.h>

#include "mpi/calls/call_error.h"

namespace roam::mpi {
namespace {

std::vector<int> members(const Group& group) {
  std::vector<int> all;
  for (int i = 0; i < group.size(); ++i) all.push_back(group.world_of(i));
  return all;
}

TEST(Group, OfEvenlySpacedNumbersKnowsItsMembers) {
  const Group even(std::vector<int>{3, 5, 7});
  EXPECT_EQ(members(even), (std::vector<int>{3, 5, 7}));
  EXPECT_EQ(even.rank_of(5), 1);
  EXPECT_EQ(even.rank_of(4), MPI_UNDEFINED);
  EXPECT_EQ(even.rank_of(9), MPI_UNDEFINED);
  EXPECT_EQ(even.rank_of(1), MPI_UNDEFINED);
  EXPECT_EQ(Group(0, 1, 1000).rank_of(999), 999);
}

TEST(Group, KnowsWhetherItIsOfAllInTheirOrder) {
  EXPECT_TRUE(Group(0, 1, 4).is_of_first(4));
  EXPECT_TRUE(Group(std::vector<int>{0, 1, 2}).is_of_first(3));
  EXPECT_TRUE(Group(std::vector<int>{0}).is_of_first(1));
  EXPECT_FALSE(Group(0, 1, 4).is_of_first(5));
  EXPECT_FALSE(Group(1, 1, 4).is_of_first(4));
  EXPECT_FALSE(Group(0, 2, 4).is_of_first(4));
  EXPECT_FALSE(Group(std::vector<int>{1, 0, 2}).is_of_first(3));
}

TEST(Group, OfAnyNumbersKeepsTheirOrder) {
  const Group any(std::vector<int>{9, 2, 5});
  EXPECT_EQ(members(any), (std::vector<int>{9, 2, 5}));
  EXPECT_EQ(any.rank_of(2), 1);
  EXPECT_EQ(any.rank_of(3), MPI_UNDEFINED);
  EXPECT_EQ(members(Group(std::vector<int>{4})), (std::vector<int>{4}));
  EXPECT_EQ(Group().rank_of(0), MPI_UNDEFINED);
}

TEST(Group, KnowsEachOfManyInAnyOrder) {
  constexpr int kMany = 100'000;
  std::vector<int> numbers(kMany);
  for (int i = 0; i < kMany; ++i) numbers[static_cast<std::size_t>(i)] = 3 * (i * 7919LL % kMany);
  const Group many(numbers);
  for (int i = 0; i < kMany; ++i) {
    ASSERT_EQ(many.rank_of(numbers[static_cast<std::size_t>(i)]), i);
    ASSERT_EQ(many.rank_of(3 * i + 1), MPI_UNDEFINED);
  }
  std::vector<int> evens;
  for (int i = 0; i < kMany; i += 2) evens.push_back(i);
  const Group odd = many.omit(evens);
  EXPECT_EQ(odd.size(), kMany / 2);
  EXPECT_EQ(odd.world_of(1), numbers[3]);
  EXPECT_EQ(many.join(odd).compare(many), MPI_IDENT);
}

TEST(Group, IsComparedByMembersAndOrder) {
  const Group a(std::vector<int>{1, 2, 3});
  EXPECT_EQ(a.compare(Group(1, 1, 3)), MPI_IDENT);
  EXPECT_EQ(a.compare(Group(std::vector<int>{3, 1, 2})), MPI_SIMILAR);
  EXPECT_EQ(a.compare(Group(std::vector<int>{1, 2})), MPI_UNEQUAL);
  EXPECT_EQ(Group().compare(Group()), MPI_IDENT);
}

TEST(Group, IsCombinedInTheOrderOfTheStandard) {
  const Group a(std::vector<int>{4, 1, 6}), b(std::vector<int>{6, 2, 4});
  EXPECT_EQ(members(a.join(b)), (std::vector<int>{4, 1, 6, 2}));
  EXPECT_EQ(members(a.intersect(b)), (std::vector<int>{4, 6}));
  EXPECT_EQ(members(a.subtract(b)), (std::vector<int>{1}));
  EXPECT_EQ(members(a.pick({2, 0})), (std::vector<int>{6, 4}));
  EXPECT_EQ(members(a.omit({0})), (std::vector<int>{1, 6}));
  EXPECT_THROW(a.pick({3}), CallError);
  EXPECT_THROW(a.pick({1, 1}), CallError);
}

TEST(Group, NamesRanksByRanges) {
  const Group ten(0, 1, 10);
  const int ranges[][3] = {{6, 7, 1}, {1, 6, 2}, {0, 9, 4}, {7, 5, -1}};
  EXPECT_EQ(ten.ranks_of(ranges, 2), (std::vector<int>{6, 7, 1, 3, 5}));
  EXPECT_EQ(ten.ranks_of(ranges + 2, 2), (std::vector<int>{0, 4, 8, 7, 6, 5}));
  const int beyond[][3] = {{8, 12, 2}}, still[][3] = {{1, 2, 0}}, away[][3] = {{0, -1, 1}};
  const int twice[][3] = {{1, 3, 1}, {5, 3, -1}};
  for (const auto* ranges : {beyond, still, away}) EXPECT_THROW(ten.ranks_of(ranges, 1), CallError);
  EXPECT_THROW(ten.ranks_of(twice, 2), CallError);
}

}  // namespace
}  // namespace roam::mpi
