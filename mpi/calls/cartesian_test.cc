#include "mpi/calls/cartesian.h"

#include <gtest/gtest.h>
#include <mpi.h>

#include "mpi/calls/call_error.h"

namespace roam::mpi {
namespace {

std::vector<int> filled(int size, std::vector<int> dimensions) {
  fill_dimensions(size, static_cast<int>(dimensions.size()), dimensions.data());
  return dimensions;
}

TEST(Cartesian, NumbersItsNodesRowByRow) {
  const Cartesian grid{{2, 3, 4}, {false, true, false}};
  ASSERT_EQ(grid.size(), 24);
  for (int rank = 0; rank < 24; ++rank) EXPECT_EQ(grid.rank_of(grid.coordinates_of(rank)), rank);
  EXPECT_EQ(grid.coordinates_of(17), (std::vector<int>{1, 1, 1}));
}

TEST(Cartesian, EndsAtItsBordersUnlessItIsPeriodic) {
  const Cartesian grid{{2, 3}, {false, true}};
  EXPECT_EQ(grid.neighbour(0, 0, -1), MPI_PROC_NULL);
  EXPECT_EQ(grid.neighbour(0, 0, 1), 3);
  EXPECT_EQ(grid.neighbour(0, 1, -1), 2);
  EXPECT_EQ(grid.neighbour(5, 1, 7), 3);
  EXPECT_EQ(grid.neighbour(3, 0, 1), MPI_PROC_NULL);
}

TEST(Cartesian, OfNoDimensionsHasOneNode) {
  const Cartesian point;
  EXPECT_EQ(point.size(), 1);
  EXPECT_EQ(point.rank_of({}), 0);
}

TEST(FillDimensions, AreNearToEachOtherAndTheLargestComesFirst) {
  EXPECT_EQ(filled(6, {0, 0}), (std::vector<int>{3, 2}));
  EXPECT_EQ(filled(7, {0, 0}), (std::vector<int>{7, 1}));
  EXPECT_EQ(filled(64, {0, 0, 0}), (std::vector<int>{4, 4, 4}));
  EXPECT_EQ(filled(5040, {0, 0, 0}), (std::vector<int>{21, 16, 15}));
  EXPECT_EQ(filled(1, {0, 0}), (std::vector<int>{1, 1}));
}

TEST(FillDimensions, KeepsThoseThatAreGiven) {
  EXPECT_EQ(filled(6, {0, 3, 0}), (std::vector<int>{2, 3, 1}));
  EXPECT_EQ(filled(6, {2, 3}), (std::vector<int>{2, 3}));
  EXPECT_THROW(filled(7, {0, 3, 0}), CallError);
  EXPECT_THROW(filled(6, {2, 2}), CallError);
  EXPECT_THROW(filled(6, {-1, 0}), CallError);
}

}  // namespace
}  // namespace roam::mpi
