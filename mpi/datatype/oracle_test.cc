// Says that random datatypes are what MPICH makes of the same calls: bounds and packed bytes.

#include "mpi/datatype/oracle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "mpi/datatype/elements.h"
#include "mpi/datatype/pack.h"
#include "mpi/datatype/pieces.h"

namespace roam::mpi {
namespace {

// Whether the bytes of `count` are all at different places, as they must be to be received into.
bool is_disjoint(const Datatype& type, MPI_Count count) {
  std::vector<std::pair<MPI_Aint, MPI_Count>> pieces;
  EXPECT_FALSE(for_each_piece(count, type, 0, count * type.size,
                              [&](MPI_Aint at, MPI_Count n) { pieces.emplace_back(at, n); }));
  std::sort(pieces.begin(), pieces.end());
  for (std::size_t i = 1; i < pieces.size(); ++i) {
    if (pieces[i - 1].first + pieces[i - 1].second > pieces[i].first) return false;
  }
  return true;
}

std::string packed_by_them(Buffer& buffer, MPI_Count count, const Twin& t) {
  std::string out(static_cast<std::size_t>(count * t.ours->size), '\0');
  MPI_Count position = 0;
  MPI_Pack_c(buffer.origin(), count, t.theirs, out.data(), count * t.ours->size, &position,
             MPI_COMM_SELF);
  EXPECT_EQ(position, count * t.ours->size);
  return out;
}

TEST(Oracle, SizesAndBounds) {
  for_many([](TwinMaker&, const Twin& t) {
    if (has_kin_in_struct(*t.ours)) return;
    MPI_Count size = 0, lb = 0, extent = 0;
    MPI_Type_size_c(t.theirs, &size);
    EXPECT_EQ(t.ours->size, size);
    MPI_Type_get_extent_c(t.theirs, &lb, &extent);
    EXPECT_EQ(t.ours->bounds.lb, lb);
    EXPECT_EQ(t.ours->bounds.extent(), extent);
    // MPICH counts the empty rests of cyclic distributions as bytes.
    if (contains(*t.ours, [](const Datatype& o) { return o.combiner == MPI_COMBINER_DARRAY; })) {
      return;
    }
    MPI_Type_get_true_extent_c(t.theirs, &lb, &extent);
    EXPECT_EQ(t.ours->bounds.true_lb, lb);
    EXPECT_EQ(t.ours->bounds.true_extent(), extent);
  });
}

TEST(Oracle, PacksAndUnpacksTheSameBytes) {
  std::uint64_t packed = 0, unpacked = 0;
  for_many([&](TwinMaker& maker, const Twin& t) {
    if (!is_comparable(*t.ours) || t.ours->size == 0) return;
    ++packed;
    const MPI_Count count = maker.number(1, 3), all = count * t.ours->size;
    Buffer buffer(*t.ours, count);
    buffer.fill(maker);
    const std::string theirs = packed_by_them(buffer, count, t);
    std::string ours(theirs.size(), '\0');
    ASSERT_FALSE(pack(buffer.origin(), count, *t.ours, 0, all, ours.data()));
    EXPECT_EQ(first_difference(ours, theirs), "");

    if (!is_disjoint(*t.ours, count)) return;
    ++unpacked;
    Buffer to_us(*t.ours, count), to_them(*t.ours, count);
    ASSERT_FALSE(unpack(theirs.data(), 0, all, to_us.origin(), count, *t.ours));
    MPI_Count position = 0;
    MPI_Unpack_c(theirs.data(), all, &position, to_them.origin(), count, t.theirs, MPI_COMM_SELF);
    EXPECT_EQ(first_difference(to_us.bytes, to_them.bytes), "");
  });
  // Enough is left of what is made.
  EXPECT_GE(packed, from_environment("ROAM_TYPES", 4000) / 3);
  EXPECT_GE(unpacked, from_environment("ROAM_TYPES", 4000) / 4);
}

// Parts are compared with the whole, which MPICH's was compared with: it has no call for parts.
TEST(Oracle, PacksAndUnpacksInAnyParts) {
  for_many([](TwinMaker& maker, const Twin& t) {
    if (!is_comparable(*t.ours)) return;
    const MPI_Count count = maker.number(1, 3), all = count * t.ours->size;
    Buffer buffer(*t.ours, count);
    buffer.fill(maker);
    const std::string theirs = packed_by_them(buffer, count, t);
    std::string ours(theirs.size(), '\0');
    Buffer whole(*t.ours, count), in_parts(*t.ours, count);
    ASSERT_FALSE(unpack(theirs.data(), 0, all, whole.origin(), count, *t.ours));
    for (MPI_Count from = 0; from < all;) {
      const MPI_Count bytes =
          std::min<MPI_Count>(all - from, maker.number(0, maker.number(0, 1) == 0 ? 40 : 2000));
      ASSERT_FALSE(pack(buffer.origin(), count, *t.ours, from, bytes, ours.data() + from));
      ASSERT_FALSE(unpack(theirs.data() + from, from, bytes, in_parts.origin(), count, *t.ours));
      std::string pieces;
      ASSERT_FALSE(for_each_piece(count, *t.ours, from, bytes, [&](MPI_Aint at, MPI_Count n) {
        pieces.append(buffer.origin() + at, static_cast<std::size_t>(n));
      }));
      EXPECT_EQ(
          pieces == theirs.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(bytes)),
          true);
      from += bytes;
    }
    EXPECT_EQ(first_difference(ours, theirs), "");
    EXPECT_EQ(first_difference(whole.bytes, in_parts.bytes), "");
  });
}

TEST(Oracle, WhatIsContiguousNeedsNoPacking) {
  int found = 0;
  for_many([&](TwinMaker& maker, const Twin& t) {
    if (!is_comparable(*t.ours)) return;
    const MPI_Count count = maker.number(1, 3);
    MPI_Aint offset = 0;
    MPI_Count bytes = 0;
    int pieces = 0;
    ASSERT_FALSE(for_each_piece(count, *t.ours, 0, count * t.ours->size,
                                [&](MPI_Aint, MPI_Count) { ++pieces; }));
    const bool is_one = contiguous(count, *t.ours, &offset, &bytes);
    EXPECT_EQ(is_one, pieces <= 1);
    if (!is_one) return;
    ++found;
    Buffer buffer(*t.ours, count);
    buffer.fill(maker);
    const std::string in_place(buffer.origin() + offset, static_cast<std::size_t>(bytes));
    EXPECT_EQ(packed_by_them(buffer, count, t) == in_place, true);
  });
  EXPECT_GT(found, from_environment("ROAM_TYPES", 4000) > 100 ? 100 : 0);
}

// Elements are counted by ourselves: the reference is wrong for types of several basic ones, or
// gives up. Where one basic type is all, it is right.
TEST(Oracle, CountsElements) {
  for_many([](TwinMaker& maker, const Twin& t) {
    const MPI_Count size = t.ours->size;
    if (size == 0) return;
    const MPI_Count bytes = maker.number(0, 1) == 0
                                ? size * maker.number(0, 3)
                                : maker.number(0, int(std::min(3 * size, MPI_Count{1000000})));
    MPI_Status status;
    MPI_Status_set_elements_x(&status, MPI_BYTE, bytes);
    int count = 0;
    MPI_Get_count(&status, t.theirs, &count);
    EXPECT_EQ(get_count(bytes, *t.ours), count);
    const Basic* basic = t.ours->basic;
    if (basic == nullptr || bytes % basic->bytes != 0) return;
    if (contains(*t.ours, [](const Datatype& o) {
          return o.combiner == MPI_COMBINER_STRUCT || o.combiner == MPI_COMBINER_SUBARRAY ||
                 o.combiner == MPI_COMBINER_DARRAY || find_pair(o.handle) != nullptr;
        })) {
      return;
    }
    MPI_Count elements = 0;
    MPI_Get_elements_x(&status, t.theirs, &elements);
    EXPECT_EQ(get_elements(bytes, *t.ours), elements);
  });
}

}  // namespace
}  // namespace roam::mpi
