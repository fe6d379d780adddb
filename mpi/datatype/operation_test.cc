#include "mpi/datatype/operation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>
#include <string>

#include "mpi/datatype/basic_table.h"
#include "mpi/datatype/constructors.h"

namespace roam::mpi {
namespace {

template <class T>
T result(MPI_Op op, MPI_Datatype handle, T in, T inout) {
  const Failure f = reduce(op, &in, &inout, 1, *predefined(handle));
  EXPECT_FALSE(f) << f.text;
  return inout;
}

// The operations allowed on a type, as a string of their names without MPI_.
std::string allowed(MPI_Datatype handle) {
  std::string names;
  for (MPI_Op op = MPI_MAX; op <= MPI_NO_OP; ++op) {
    if (!check_operation(op, *predefined(handle)))
      names += std::string(operation_name(op) + 4) + " ";
  }
  return names;
}

TEST(Operation, AllowsWhatTheStandardDoes) {
  const std::string integer = "MAX MIN SUM PROD LAND BAND LOR BOR LXOR BXOR REPLACE NO_OP ";
  for (const MPI_Datatype h : {MPI_INT, MPI_UNSIGNED_LONG, MPI_INT8_T, MPI_INTEGER, MPI_INTEGER8,
                               MPI_AINT, MPI_OFFSET, MPI_COUNT, MPI_SIGNED_CHAR, MPI_CHAR})
    EXPECT_EQ(allowed(h), integer);
  for (const MPI_Datatype h :
       {MPI_FLOAT, MPI_DOUBLE, MPI_LONG_DOUBLE, MPI_REAL, MPI_DOUBLE_PRECISION, MPI_REAL16})
    EXPECT_EQ(allowed(h), "MAX MIN SUM PROD REPLACE NO_OP ");
  for (const MPI_Datatype h :
       {MPI_COMPLEX, MPI_C_LONG_DOUBLE_COMPLEX, MPI_CXX_DOUBLE_COMPLEX, MPI_COMPLEX32})
    EXPECT_EQ(allowed(h), "SUM PROD REPLACE NO_OP ");
  for (const MPI_Datatype h : {MPI_LOGICAL, MPI_C_BOOL, MPI_CXX_BOOL})
    EXPECT_EQ(allowed(h), "LAND LOR LXOR REPLACE NO_OP ");
  EXPECT_EQ(allowed(MPI_BYTE), "BAND BOR BXOR REPLACE NO_OP ");
  for (const MPI_Datatype h : {MPI_WCHAR, MPI_PACKED, MPIX_C_FLOAT16})
    EXPECT_EQ(allowed(h), "REPLACE NO_OP ");
  EXPECT_EQ(allowed(MPI_LB), "");
  for (const Pair& p : kPair)
    EXPECT_EQ(allowed(p.handle), "MINLOC MAXLOC REPLACE NO_OP ") << p.name;
}

TEST(Operation, RefusalsNameOperationAndType) {
  int a = 1, b = 2;
  const Failure f = reduce(MPI_MAXLOC, &a, &b, 1, *predefined(MPI_FLOAT));
  EXPECT_EQ(f.error_class, MPI_ERR_OP);
  EXPECT_EQ(f.text, "MPI_MAXLOC is not for MPI_FLOAT");
  EXPECT_EQ(reduce(MPI_OP_NULL, &a, &b, 1, *predefined(MPI_INT)).error_class, MPI_ERR_OP);
  EXPECT_EQ(reduce(MPI_SUM, &a, &b, -1, *predefined(MPI_INT)).error_class, MPI_ERR_COUNT);
  TypeRef t;
  ASSERT_FALSE(make_contiguous(Call::plain, 1, predefined(MPI_INT), &t));
  EXPECT_EQ(reduce(MPI_SUM, &a, &b, 1, *t).error_class, MPI_ERR_OP);
  EXPECT_EQ(b, 2);
  TypeRef real;
  ASSERT_FALSE(make_f90_integer(9, &real));
  EXPECT_FALSE(reduce(MPI_SUM, &a, &b, 1, *real));
  EXPECT_EQ(b, 3);
}

TEST(Operation, ComparesUnsignedNumbersAsSuch) {
  EXPECT_EQ(result<unsigned>(MPI_MAX, MPI_UNSIGNED, 4000000000U, 1U), 4000000000U);
  EXPECT_EQ(result<std::uint8_t>(MPI_MIN, MPI_UINT8_T, 200, 100), 100);
  EXPECT_EQ(result<std::uint64_t>(MPI_MAX, MPI_UINT64_T, ~0UL, 1), ~0UL);
  EXPECT_EQ(result<std::int8_t>(MPI_MAX, MPI_INT8_T, -56, 100), 100);
}

TEST(Operation, IntegersWrapAround) {
  EXPECT_EQ(result<int>(MPI_SUM, MPI_INT, 2147483647, 1), -2147483647 - 1);
  EXPECT_EQ(result<std::uint16_t>(MPI_PROD, MPI_UINT16_T, 65535, 65535), 1);
}

TEST(Operation, HasQuadruplePrecision) {
  const __float128 third = static_cast<__float128>(1) / 3;
  EXPECT_TRUE(result<__float128>(MPI_SUM, MPI_REAL16, third, third) == third + third);
  EXPECT_TRUE(result<__float128>(MPI_MAX, MPI_REAL16, third, -third) == third);
}

TEST(Operation, LogicalResultsAreZeroOrOne) {
  EXPECT_EQ(result<int>(MPI_LAND, MPI_INT, 8, 4), 1);
  EXPECT_EQ(result<int>(MPI_LXOR, MPI_LOGICAL, 8, 4), 0);
  EXPECT_EQ(result<unsigned char>(MPI_LOR, MPI_C_BOOL, 0, 2), 1);
}

TEST(Operation, LocationsOfEqualValuesAreTheLowest) {
  struct DoubleInt {
    double value;
    int place;
  };
  const auto best = [](MPI_Op op, DoubleInt in, DoubleInt inout) {
    return result<DoubleInt>(op, MPI_DOUBLE_INT, in, inout);
  };
  EXPECT_EQ(best(MPI_MAXLOC, {2, 7}, {2, 5}).place, 5);
  EXPECT_EQ(best(MPI_MAXLOC, {2, 3}, {2, 5}).place, 3);
  EXPECT_EQ(best(MPI_MINLOC, {1, 9}, {2, 5}).place, 9);
  EXPECT_EQ(best(MPI_MAXLOC, {1, 9}, {2, 5}).place, 5);
}

TEST(Operation, ReplaceLeavesGapsAlone) {
  unsigned char in[16], inout[16];
  std::memset(in, 1, sizeof in);
  std::memset(inout, 2, sizeof inout);
  ASSERT_FALSE(reduce(MPI_REPLACE, in, inout, 2, *predefined(MPI_SHORT_INT)));
  for (const int gap : {2, 3, 10, 11}) EXPECT_EQ(inout[gap], 2);
  for (const int data : {0, 1, 4, 7, 8, 9, 12, 15}) EXPECT_EQ(inout[data], 1);
  ASSERT_FALSE(reduce(MPI_NO_OP, in, inout, 2, *predefined(MPI_SHORT_INT)));
  EXPECT_EQ(inout[2], 2);
}

TEST(Operation, TakesWhatIsNotAligned) {
  alignas(8) char in[25] = {}, inout[25] = {};
  const double values[] = {1, 2, 3};
  std::memcpy(in + 1, values, 24);
  std::memcpy(inout + 1, values, 24);
  ASSERT_FALSE(reduce(MPI_SUM, in + 1, inout + 1, 3, *predefined(MPI_DOUBLE)));
  double sums[3];
  std::memcpy(sums, inout + 1, 24);
  EXPECT_EQ(sums[2], 6);
}

TEST(Operation, CommutesUnlessItIsForAccumulate) {
  for (MPI_Op op = MPI_MAX; op <= MPI_NO_OP; ++op) {
    EXPECT_TRUE(is_predefined_operation(op));
    EXPECT_EQ(is_commutative(op), op < MPI_REPLACE);
    EXPECT_EQ(is_for_accumulate(op), op == MPI_REPLACE || op == MPI_NO_OP);
  }
  EXPECT_FALSE(is_predefined_operation(MPI_OP_NULL));
}

}  // namespace
}  // namespace roam::mpi
