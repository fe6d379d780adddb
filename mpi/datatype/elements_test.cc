#include "mpi/datatype/elements.h"

#include <gtest/gtest.h>

#include "mpi/datatype/constructors.h"

namespace roam::mpi {
namespace {

// Two shorts, a double, three chars: 15 bytes, 6 elements.
TypeRef mixed() {
  TypeRef t;
  const int lengths[] = {2, 1, 3};
  const MPI_Aint places[] = {0, 8, 16};
  EXPECT_FALSE(make_struct(Call::plain, 3, lengths, places,
                           {predefined(MPI_SHORT), predefined(MPI_DOUBLE), predefined(MPI_CHAR)},
                           &t));
  return t;
}

TEST(Elements, CountWholeTypes) {
  EXPECT_EQ(get_count(30, *mixed()), 2);
  EXPECT_EQ(get_count(31, *mixed()), MPI_UNDEFINED);
  EXPECT_EQ(get_count(0, *mixed()), 0);
  TypeRef empty;
  ASSERT_FALSE(make_contiguous(Call::plain, 0, predefined(MPI_INT), &empty));
  EXPECT_EQ(get_count(0, *empty), 0);
  EXPECT_EQ(get_count(4, *empty), MPI_UNDEFINED);
  EXPECT_EQ(get_elements(4, *empty), MPI_UNDEFINED);
  EXPECT_EQ(bytes_of_elements(3, *empty), 0);
}

TEST(Elements, CountBasicOnesOfEveryBeginning) {
  TypeRef rows;
  ASSERT_FALSE(make_vector(Call::plain, 3, 1, 2, mixed(), &rows));
  const int sizes[] = {2, 2, 8, 1, 1, 1};
  MPI_Count bytes = 0;
  for (MPI_Count n = 0; n < 40; ++n) {
    EXPECT_EQ(get_elements(bytes, *rows), n);
    EXPECT_EQ(get_elements(bytes, *mixed()), n);
    EXPECT_EQ(bytes_of_elements(n, *rows), bytes);
    EXPECT_EQ(bytes_of_elements(n, *mixed()), bytes);
    const int size = sizes[n % 6];
    for (int within = 1; within < size; ++within)
      EXPECT_EQ(get_elements(bytes + within, *rows), MPI_UNDEFINED) << bytes + within;
    bytes += size;
  }
}

TEST(Elements, APairIsTwo) {
  for (const MPI_Datatype handle : {MPI_FLOAT_INT, MPI_2INT, MPI_2REAL, MPI_2INTEGER}) {
    EXPECT_EQ(get_elements(8, *predefined(handle)), 2);
    EXPECT_EQ(get_elements(4, *predefined(handle)), 1);
    EXPECT_EQ(get_count(4, *predefined(handle)), MPI_UNDEFINED);
  }
  EXPECT_EQ(get_elements(8, *predefined(MPI_DOUBLE_INT)), 1);
  EXPECT_EQ(get_elements(12 + 8, *predefined(MPI_DOUBLE_INT)), 3);
  EXPECT_EQ(get_elements(16, *predefined(MPI_DOUBLE_COMPLEX)), 1);
}

TEST(Elements, AreCountedWhereIntsEnd) {
  TypeRef t;
  ASSERT_FALSE(make_contiguous(Call::large, MPI_Count{1} << 40, predefined(MPI_CHAR), &t));
  EXPECT_EQ(get_elements(MPI_Count{3} << 40, *t), MPI_Count{3} << 40);
  EXPECT_EQ(get_count(MPI_Count{3} << 40, *t), 3);
}

}  // namespace
}  // namespace roam::mpi
