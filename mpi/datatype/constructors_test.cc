#include "mpi/datatype/constructors.h"

#include <gtest/gtest.h>

#include <climits>
#include <utility>
#include <vector>

#include "mpi/datatype/pieces.h"

namespace roam::mpi {
namespace {

constexpr MPI_Count kHuge = MPI_Count{1} << 62;

// Checks an error class, that the sentence names something, and that nothing was made.
void expect_refused(const Failure& f, int error_class, const char* word, const TypeRef& made) {
  EXPECT_EQ(f.error_class, error_class) << f.text;
  EXPECT_NE(f.text.find(word), std::string::npos) << f.text;
  EXPECT_FALSE(made);
}

TEST(Constructors, RefuseNegativeCountsAndLengths) {
  const TypeRef i = predefined(MPI_INT);
  const int lengths[] = {1, -7}, places[] = {0, 1};
  TypeRef t;
  expect_refused(make_contiguous(Call::plain, -3, i, &t), MPI_ERR_COUNT, "-3", t);
  expect_refused(make_vector(Call::plain, -3, 1, 1, i, &t), MPI_ERR_COUNT, "-3", t);
  expect_refused(make_vector(Call::plain, 3, -1, 1, i, &t), MPI_ERR_COUNT, "-1", t);
  expect_refused(make_hvector(Call::plain, 3, -1, 1, i, &t), MPI_ERR_COUNT, "-1", t);
  expect_refused(make_indexed(Call::plain, 2, lengths, places, i, &t), MPI_ERR_COUNT, "-7", t);
  expect_refused(make_hindexed(Call::plain, -2, lengths, places, i, &t), MPI_ERR_COUNT, "-2", t);
  expect_refused(make_indexed_block(Call::plain, 2, -5, places, i, &t), MPI_ERR_COUNT, "-5", t);
  expect_refused(make_hindexed_block(Call::plain, 2, -5, places, i, &t), MPI_ERR_COUNT, "-5", t);
  expect_refused(make_struct(Call::plain, 2, lengths, places, {i, i}, &t), MPI_ERR_COUNT, "-7", t);
}

TEST(Constructors, RefuseNullTypesAndArrays) {
  const int ones[] = {1, 1};
  const int* none = nullptr;
  TypeRef t;
  const TypeRef null;
  expect_refused(make_contiguous(Call::plain, 1, null, &t), MPI_ERR_TYPE, "NULL", t);
  expect_refused(make_dup(null, &t), MPI_ERR_TYPE, "NULL", t);
  expect_refused(make_resized(Call::plain, null, 0, 1, &t), MPI_ERR_TYPE, "NULL", t);
  expect_refused(make_struct(Call::plain, 2, ones, ones, {predefined(MPI_INT), null}, &t),
                 MPI_ERR_TYPE, "NULL", t);
  expect_refused(make_indexed(Call::plain, 2, none, ones, predefined(MPI_INT), &t), MPI_ERR_ARG,
                 "lengths", t);
  expect_refused(make_indexed(Call::plain, 2, ones, none, predefined(MPI_INT), &t), MPI_ERR_ARG,
                 "displacements", t);
  EXPECT_FALSE(make_indexed(Call::plain, 0, none, none, predefined(MPI_INT), &t));
}

TEST(Constructors, RefuseWhatIsBeyond64Bits) {
  const TypeRef i = predefined(MPI_INT);
  TypeRef t;
  expect_refused(make_contiguous(Call::large, kHuge, i, &t), MPI_ERR_COUNT, "64 bits", t);
  expect_refused(make_vector(Call::large, 4, 1, kHuge, i, &t), MPI_ERR_ARG, "64 bits", t);
  expect_refused(make_hvector(Call::large, 4, 1, kHuge, i, &t), MPI_ERR_ARG, "64 bits", t);
  expect_refused(make_vector(Call::large, kHuge, kHuge, 1, i, &t), MPI_ERR_COUNT, "64 bits", t);
  const MPI_Count far[] = {-kHuge, kHuge};
  expect_refused(make_hindexed_block(Call::large, 2, 1, far, i, &t), MPI_ERR_ARG, "64 bits", t);
  expect_refused(make_indexed_block(Call::large, 2, 1, far, i, &t), MPI_ERR_ARG, "64 bits", t);
  expect_refused(make_resized(Call::large, i, kHuge, kHuge, &t), MPI_ERR_ARG, "64 bits", t);
  const MPI_Count sizes[] = {kHuge, 8}, ones[] = {1, 1}, zeros[] = {0, 0};
  expect_refused(make_subarray(Call::large, 2, sizes, ones, zeros, MPI_ORDER_C, i, &t), MPI_ERR_ARG,
                 "too large", t);
  const MPI_Count limit = LONG_MAX;
  EXPECT_FALSE(make_contiguous(Call::large, limit / 4, i, &t));
  EXPECT_EQ(t->size, limit / 4 * 4);
}

TEST(Constructors, RefuseWhatIsNoPartOfAnArray) {
  const TypeRef i = predefined(MPI_INT);
  TypeRef t;
  const int sizes[] = {4, 5}, sub[] = {2, 3}, far[] = {3, 0}, negative[] = {0, -1},
            zeros[] = {0, 0};
  const auto subarray = [&](int n, const int* subsizes, const int* starts, int order) {
    return make_subarray(Call::plain, n, sizes, subsizes, starts, order, i, &t);
  };
  expect_refused(subarray(2, sub, far, MPI_ORDER_C), MPI_ERR_ARG, "dimension 0", t);
  expect_refused(subarray(2, sub, negative, MPI_ORDER_C), MPI_ERR_ARG, "dimension 1", t);
  const int less[] = {-1, 3}, behind[] = {0, 6};
  expect_refused(subarray(2, less, zeros, MPI_ORDER_C), MPI_ERR_ARG, "dimension 0", t);
  expect_refused(subarray(2, zeros, behind, MPI_ORDER_C), MPI_ERR_ARG, "dimension 1", t);
  expect_refused(subarray(0, sub, zeros, MPI_ORDER_C), MPI_ERR_ARG, "0 dimensions", t);
  expect_refused(subarray(2, sub, zeros, 3), MPI_ERR_ARG, "order is 3", t);
}

TEST(Constructors, RefuseWhatIsNoDistribution) {
  const TypeRef i = predefined(MPI_INT);
  TypeRef t;
  const int dflt = MPI_DISTRIBUTE_DFLT_DARG;
  const auto darray = [&](int size, int rank, int kind, int argument, int processes) {
    const int gsize = 10;
    return make_darray(Call::plain, size, rank, 1, &gsize, &kind, &argument, &processes,
                       MPI_ORDER_C, i, &t);
  };
  expect_refused(darray(2, 2, MPI_DISTRIBUTE_BLOCK, dflt, 2), MPI_ERR_ARG, "rank 2", t);
  expect_refused(darray(3, 0, MPI_DISTRIBUTE_BLOCK, dflt, 2), MPI_ERR_ARG, "2 processes", t);
  expect_refused(darray(2, 0, MPI_DISTRIBUTE_BLOCK, 4, 2), MPI_ERR_ARG, "cover", t);
  expect_refused(darray(2, 0, MPI_DISTRIBUTE_CYCLIC, 0, 2), MPI_ERR_ARG, "blocks of 0", t);
  expect_refused(darray(2, 0, MPI_DISTRIBUTE_NONE, dflt, 2), MPI_ERR_ARG, "2 processes", t);
  expect_refused(darray(2, 0, 77, dflt, 2), MPI_ERR_ARG, "77", t);
}

TEST(Constructors, OfNoElementsAreEmpty) {
  TypeRef t, odd;
  ASSERT_FALSE(make_resized(Call::plain, predefined(MPI_INT), 8, 12, &odd));
  ASSERT_FALSE(make_vector(Call::plain, 3, 0, 5, odd, &t));
  EXPECT_EQ(t->size, 0);
  EXPECT_EQ(t->bounds.lb, 0);
  EXPECT_EQ(t->bounds.ub, 0);
  EXPECT_FALSE(t->bytes.node);
  EXPECT_EQ(t->basic, nullptr);
}

// As MPICH takes them.
TEST(Constructors, PartsOfArraysMayBeEmpty) {
  const TypeRef i = predefined(MPI_INT);
  const int sizes[] = {4, 5}, none[] = {2, 0}, starts[] = {0, 5}, zeros[] = {0, 0},
            empty[] = {0, 5};
  TypeRef t;
  const auto expect_empty = [&](MPI_Aint extent) {
    EXPECT_EQ(t->size, 0);
    EXPECT_EQ(t->bounds.lb, 0);
    EXPECT_EQ(t->bounds.extent(), extent);
    EXPECT_EQ(t->bounds.true_lb, 0);
    EXPECT_EQ(t->bounds.true_extent(), 0);
    EXPECT_FALSE(t->bytes.node);
  };
  ASSERT_FALSE(make_subarray(Call::plain, 2, sizes, none, starts, MPI_ORDER_C, i, &t));
  expect_empty(80);
  ASSERT_FALSE(make_subarray(Call::plain, 2, sizes, zeros, zeros, MPI_ORDER_FORTRAN, i, &t));
  expect_empty(80);
  ASSERT_FALSE(make_subarray(Call::plain, 2, empty, empty, zeros, MPI_ORDER_C, i, &t));
  expect_empty(0);
  const int kinds[] = {MPI_DISTRIBUTE_BLOCK, MPI_DISTRIBUTE_CYCLIC},
            arguments[] = {MPI_DISTRIBUTE_DFLT_DARG, 2}, processes[] = {2, 2};
  for (int rank = 0; rank < 4; ++rank) {
    ASSERT_FALSE(make_darray(Call::plain, 4, rank, 2, empty, kinds, arguments, processes,
                             MPI_ORDER_C, i, &t));
    expect_empty(0);
  }
}

TEST(Constructors, PadStructsAsACompilerDoes) {
  struct S {
    double d;
    char c;
  };
  TypeRef t;
  const int ones[] = {1, 1};
  const MPI_Aint places[] = {offsetof(S, d), offsetof(S, c)};
  ASSERT_FALSE(make_struct(Call::plain, 2, ones, places,
                           {predefined(MPI_DOUBLE), predefined(MPI_CHAR)}, &t));
  EXPECT_EQ(t->bounds.extent(), MPI_Aint{sizeof(S)});
  EXPECT_EQ(t->bounds.true_extent(), 9);
  EXPECT_EQ(t->alignment, MPI_Aint{alignof(S)});
  EXPECT_EQ(t->basic, nullptr);
  EXPECT_EQ(t->unit, nullptr);
}

TEST(Constructors, BlocksOfTheSameBytesKeepTheirOwnExtents) {
  TypeRef wide, t;
  ASSERT_FALSE(make_resized(Call::plain, predefined(MPI_INT), 0, 12, &wide));
  const int twos[] = {2, 2};
  const MPI_Aint places[] = {0, 100};
  ASSERT_FALSE(make_struct(Call::plain, 2, twos, places, {wide, predefined(MPI_INT)}, &t));
  std::vector<std::pair<MPI_Aint, MPI_Count>> pieces;
  ASSERT_FALSE(
      for_each_piece(1, *t, 0, 16, [&](MPI_Aint at, MPI_Count n) { pieces.emplace_back(at, n); }));
  const std::vector<std::pair<MPI_Aint, MPI_Count>> expected = {{0, 4}, {12, 4}, {100, 8}};
  EXPECT_EQ(pieces, expected);
}

TEST(Constructors, MarkersOfMpi1GiveAStructItsBounds) {
  TypeRef t;
  const int ones[] = {1, 1, 1};
  const MPI_Aint places[] = {-4, 0, 20};
  ASSERT_FALSE(make_struct(Call::plain, 3, ones, places,
                           {predefined(MPI_LB), predefined(MPI_INT), predefined(MPI_UB)}, &t));
  EXPECT_EQ(t->bounds.lb, -4);
  EXPECT_EQ(t->bounds.ub, 20);
  EXPECT_EQ(t->contents.types.size(), 3U);
  EXPECT_EQ(t->basic->handle, MPI_INT);
}

TEST(Fortran, FindsTypesByPrecisionAndRange) {
  TypeRef t;
  ASSERT_FALSE(make_f90_real(6, 30, &t));
  EXPECT_EQ(t->size, 4);
  EXPECT_EQ(t->combiner, MPI_COMBINER_F90_REAL);
  EXPECT_EQ(t->contents.integers, (std::vector<int>{6, 30}));
  EXPECT_TRUE(t->contents.types.empty());
  ASSERT_FALSE(make_f90_real(MPI_UNDEFINED, 38, &t));
  EXPECT_EQ(t->size, 8);
  ASSERT_FALSE(make_f90_complex(15, 307, &t));
  EXPECT_EQ(t->size, 16);
  const int digits[] = {2, 4, 9, 18};
  for (int i = 0; i < 4; ++i) {
    ASSERT_FALSE(make_f90_integer(digits[i], &t));
    EXPECT_EQ(t->size, 1 << i);
  }
  TypeRef none;
  expect_refused(make_f90_integer(19, &none), MPI_ERR_ARG, "19", none);
  expect_refused(make_f90_real(16, MPI_UNDEFINED, &none), MPI_ERR_ARG, "16", none);
  expect_refused(make_f90_real(MPI_UNDEFINED, MPI_UNDEFINED, &none), MPI_ERR_ARG, "neither", none);
}

TEST(Fortran, MatchesSizes) {
  MPI_Datatype h = MPI_DATATYPE_NULL;
  EXPECT_FALSE(match_size(MPI_TYPECLASS_REAL, 8, &h));
  EXPECT_EQ(h, MPI_REAL8);
  EXPECT_FALSE(match_size(MPI_TYPECLASS_INTEGER, 2, &h));
  EXPECT_EQ(h, MPI_INTEGER2);
  EXPECT_FALSE(match_size(MPI_TYPECLASS_COMPLEX, 32, &h));
  EXPECT_EQ(h, MPI_COMPLEX32);
  EXPECT_EQ(match_size(MPI_TYPECLASS_REAL, 3, &h).error_class, MPI_ERR_ARG);
  EXPECT_EQ(match_size(9, 8, &h).error_class, MPI_ERR_ARG);
  EXPECT_EQ(h, MPI_COMPLEX32);
}

}  // namespace
}  // namespace roam::mpi
