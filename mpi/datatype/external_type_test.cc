#include "mpi/datatype/external_type.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mpi/datatype/constructors.h"
#include "mpi/datatype/external.h"
#include "mpi/datatype/pieces.h"

namespace roam::mpi {
namespace {

// "offset+bytes" of each piece, and the extent.
std::string laid(const TypeRef& type) {
  std::string text;
  EXPECT_FALSE(for_each_piece(1, *type, 0, type->size, [&](MPI_Aint at, MPI_Count bytes) {
    text += std::to_string(at) + "+" + std::to_string(bytes) + " ";
  }));
  return text + "of " + std::to_string(type->bounds.extent());
}

std::string in_file(const TypeRef& type) {
  TypeRef made;
  EXPECT_FALSE(make_external_type(type, &made));
  return laid(made);
}

TypeRef longs() { return predefined(MPI_LONG); }

TEST(ExternalType, IsTheTypeItselfWhereNoElementShrinks) {
  TypeRef t, made;
  ASSERT_FALSE(make_vector(Call::plain, 3, 1, 2, predefined(MPI_DOUBLE), &t));
  ASSERT_FALSE(make_external_type(t, &made));
  EXPECT_EQ(made, t);
}

TEST(ExternalType, ScalesWhatCountsExtents) {
  TypeRef t;
  for (const Call call : {Call::plain, Call::large}) {
    ASSERT_FALSE(make_contiguous(call, 3, longs(), &t));
    EXPECT_EQ(in_file(t), "0+12 of 12");
    ASSERT_FALSE(make_vector(call, 3, 1, 2, longs(), &t));
    EXPECT_EQ(in_file(t), "0+4 8+4 16+4 of 20");
    const int lengths[] = {2, 1}, places[] = {1, 5};
    ASSERT_FALSE(make_indexed(call, 2, lengths, places, longs(), &t));
    EXPECT_EQ(in_file(t), "4+8 20+4 of 20");
    ASSERT_FALSE(make_indexed_block(call, 2, 1, places, longs(), &t));
    EXPECT_EQ(in_file(t), "4+4 20+4 of 20");
    const int sizes[] = {2, 3}, parts[] = {2, 1}, starts[] = {0, 1};
    ASSERT_FALSE(make_subarray(call, 2, sizes, parts, starts, MPI_ORDER_C, longs(), &t));
    EXPECT_EQ(in_file(t), "4+4 16+4 of 24");
    const int cyclic[] = {MPI_DISTRIBUTE_CYCLIC}, own[] = {MPI_DISTRIBUTE_DFLT_DARG}, two[] = {2};
    ASSERT_FALSE(make_darray(call, 2, 1, 1, sizes + 1, cyclic, own, two, MPI_ORDER_C, longs(), &t));
    EXPECT_EQ(in_file(t), "4+4 of 12");
  }
  ASSERT_FALSE(make_dup(longs(), &t));
  EXPECT_EQ(in_file(t), "0+4 of 4");
}

TEST(ExternalType, TakesBytesAsTheyAre) {
  TypeRef t;
  for (const Call call : {Call::plain, Call::large}) {
    ASSERT_FALSE(make_hvector(call, 2, 2, 30, longs(), &t));
    EXPECT_EQ(in_file(t), "0+8 30+8 of 38");
    const int lengths[] = {2, 1};
    const MPI_Aint places[] = {6, 40};
    ASSERT_FALSE(make_hindexed(call, 2, lengths, places, longs(), &t));
    EXPECT_EQ(in_file(t), "6+8 40+4 of 38");
    ASSERT_FALSE(make_hindexed_block(call, 2, 2, places, longs(), &t));
    EXPECT_EQ(in_file(t), "6+8 40+8 of 42");
    ASSERT_FALSE(make_resized(call, longs(), -8, 100, &t));
    EXPECT_EQ(in_file(t), "0+4 of 100");
    const int ones[] = {1, 1};
    ASSERT_FALSE(
        make_struct(call, 2, ones, places, {predefined(MPI_WCHAR), predefined(MPI_CHAR)}, &t));
    EXPECT_EQ(in_file(t).substr(0, 8), "6+2 40+1");
  }
}

TEST(ExternalType, FindsElementsInside) {
  TypeRef inner, t;
  ASSERT_FALSE(make_vector(Call::plain, 2, 1, 2, longs(), &inner));
  ASSERT_FALSE(make_contiguous(Call::plain, 2, inner, &t));
  EXPECT_EQ(in_file(t), "0+4 8+8 20+4 of 24");
}

TEST(ExternalFront, UnpacksWholeElementsOnly) {
  const long values[] = {1, 2, 3, 4};
  char out[16];
  MPI_Count position = 0, bytes = -1;
  ASSERT_FALSE(pack_external("external32", values, 4, *longs(), out, 16, &position));
  for (int there = 0; there <= 16; ++there) {
    long back[] = {9, 9, 9, 9};
    ASSERT_FALSE(unpack_external_front(out, there, back, 4, *longs(), &bytes));
    EXPECT_EQ(bytes, there / 4 * 8);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(back[i], i < there / 4 ? i + 1 : 9);
  }
}

}  // namespace
}  // namespace roam::mpi
