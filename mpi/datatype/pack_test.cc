#include "mpi/datatype/pack.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "mpi/datatype/constructors.h"
#include "mpi/datatype/elements.h"
#include "mpi/datatype/external.h"
#include "mpi/datatype/external_type.h"
#include "mpi/datatype/pieces.h"

namespace roam::mpi {
namespace {

// Every third pair of ints.
TypeRef pairs_of_three() {
  TypeRef t;
  EXPECT_FALSE(make_vector(Call::plain, 4, 2, 3, predefined(MPI_INT), &t));
  return t;
}

TEST(Pack, TakesTheBytesInTheirOrder) {
  std::vector<int> from(12), to(8);
  std::iota(from.begin(), from.end(), 0);
  ASSERT_FALSE(pack(from.data(), 1, *pairs_of_three(), 0, 32, to.data()));
  EXPECT_EQ(to, (std::vector<int>{0, 1, 3, 4, 6, 7, 9, 10}));
}

TEST(Pack, TakesElementsBackwards) {
  std::vector<int> from(4), to(4);
  std::iota(from.begin(), from.end(), 0);
  TypeRef t;
  ASSERT_FALSE(make_vector(Call::plain, 4, 1, -1, predefined(MPI_INT), &t));
  ASSERT_FALSE(pack(&from[3], 1, *t, 0, 16, to.data()));
  EXPECT_EQ(to, (std::vector<int>{3, 2, 1, 0}));
}

TEST(Pack, EveryCutGivesTheSameBytes) {
  const int lengths[] = {1, 3, 2}, places[] = {7, 0, 4};
  TypeRef indexed, rows;
  ASSERT_FALSE(make_indexed(Call::plain, 3, lengths, places, predefined(MPI_SHORT), &indexed));
  ASSERT_FALSE(make_hvector(Call::plain, 3, 1, 21, indexed, &rows));
  std::string buffer(200, '\0');
  for (std::size_t i = 0; i < buffer.size(); ++i) buffer[i] = static_cast<char>(i * 37);
  const MPI_Count all = 2 * rows->size;
  std::string whole(static_cast<std::size_t>(all), '\0');
  ASSERT_FALSE(pack(buffer.data(), 2, *rows, 0, all, whole.data()));
  for (MPI_Count from = 0; from <= all; ++from) {
    for (MPI_Count bytes = 0; bytes <= all - from; ++bytes) {
      std::string part(static_cast<std::size_t>(bytes), '\0');
      ASSERT_FALSE(pack(buffer.data(), 2, *rows, from, bytes, part.data()));
      ASSERT_EQ(part == whole.substr(static_cast<std::size_t>(from), part.size()), true)
          << from << " " << bytes;
    }
  }
}

TEST(Unpack, TouchesOnlyItsPart) {
  std::vector<int> to(12, -1);
  const std::vector<int> from = {10, 11, 12};
  ASSERT_FALSE(unpack(from.data(), 4, 12, to.data(), 1, *pairs_of_three()));
  EXPECT_EQ(to, (std::vector<int>{-1, 10, -1, 11, 12, -1, -1, -1, -1, -1, -1, -1}));
}

TEST(Pack, TakesAddressesFromBottom) {
  int a = 5, b = 6;
  const MPI_Aint places[] = {reinterpret_cast<MPI_Aint>(&a), reinterpret_cast<MPI_Aint>(&b)};
  TypeRef t;
  ASSERT_FALSE(make_hindexed_block(Call::plain, 2, 1, places, predefined(MPI_INT), &t));
  int out[2] = {};
  ASSERT_FALSE(pack(MPI_BOTTOM, 1, *t, 0, 8, out));
  EXPECT_EQ(out[0], 5);
  EXPECT_EQ(out[1], 6);
}

TEST(Pack, CopiesPiecesOfEveryLength) {
  for (int bytes = 1; bytes < 80; ++bytes) {
    TypeRef t;
    ASSERT_FALSE(make_vector(Call::plain, 3, bytes, bytes + 1, predefined(MPI_BYTE), &t));
    std::string from(static_cast<std::size_t>(3 * bytes + 2), '\0'), expected;
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<char>(i + 1);
    for (int i = 0; i < 3; ++i)
      expected +=
          from.substr(static_cast<std::size_t>(i * (bytes + 1)), static_cast<std::size_t>(bytes));
    std::string out(static_cast<std::size_t>(3 * bytes) + 8, '\x7f');
    ASSERT_FALSE(pack(from.data(), 1, *t, 0, 3 * bytes, out.data()));
    EXPECT_EQ(out, expected + std::string(8, '\x7f')) << bytes;
  }
}

TEST(Pack, RefusesWhatIsNotInTheStream) {
  const TypeRef t = pairs_of_three();
  char out[4] = {1, 2, 3, 4};
  const auto error = [&](MPI_Count count, MPI_Count from, MPI_Count bytes) {
    return pack(out, count, *t, from, bytes, out).error_class;
  };
  EXPECT_EQ(error(-1, 0, 0), MPI_ERR_COUNT);
  EXPECT_EQ(error(MPI_Count{1} << 60, 0, 0), MPI_ERR_COUNT);
  EXPECT_EQ(error(1, 0, 33), MPI_ERR_ARG);
  EXPECT_EQ(error(1, 33, 0), MPI_ERR_ARG);
  EXPECT_EQ(error(1, -1, 1), MPI_ERR_ARG);
  EXPECT_EQ(error(1, 1, -1), MPI_ERR_ARG);
  EXPECT_EQ(error(0, 0, 1), MPI_ERR_ARG);
  EXPECT_EQ(error(1, 32, 0), MPI_SUCCESS);
  EXPECT_EQ(out[0], 1);
}

TEST(Pack, RefusesWhatLiesBeyond64Bits) {
  TypeRef far;
  ASSERT_FALSE(make_resized(Call::large, predefined(MPI_CHAR), 0, MPI_Count{1} << 62, &far));
  char byte = 1;
  const Failure f = pack(&byte, 4, *far, 0, 1, &byte);
  EXPECT_EQ(f.error_class, MPI_ERR_ARG);
  EXPECT_NE(f.text.find("4611686018427387904"), std::string::npos) << f.text;
  EXPECT_EQ(pack(&byte, 2, *far, 0, 1, &byte).error_class, MPI_SUCCESS);
}

TEST(Pieces, JoinWhatFollowsEachOther) {
  TypeRef t;
  ASSERT_FALSE(make_resized(Call::plain, pairs_of_three(), 0, 44, &t));
  std::vector<std::pair<MPI_Aint, MPI_Count>> pieces;
  ASSERT_FALSE(
      for_each_piece(2, *t, 0, 64, [&](MPI_Aint at, MPI_Count n) { pieces.emplace_back(at, n); }));
  const std::vector<std::pair<MPI_Aint, MPI_Count>> expected = {{0, 8},  {12, 8}, {24, 8}, {36, 16},
                                                                {56, 8}, {68, 8}, {80, 8}};
  EXPECT_EQ(pieces, expected);
}

TEST(Units, OfPairsWithGapsComeOneByOne) {
  for (const MPI_Datatype handle : {MPI_DOUBLE_INT, MPI_SHORT_INT}) {
    TypeRef t;
    ASSERT_FALSE(make_vector(Call::plain, 2, 2, 3, predefined(handle), &t));
    const MPI_Aint extent = predefined(handle)->bounds.extent();
    std::vector<MPI_Aint> places;
    ASSERT_FALSE(for_each_unit(1, *t, [&](MPI_Aint at, MPI_Count n) {
      for (MPI_Count i = 0; i < n; ++i) places.push_back(at + i * extent);
    }));
    EXPECT_EQ(places, (std::vector<MPI_Aint>{0, extent, 3 * extent, 4 * extent}));
  }
}

TEST(Units, OfNumbersComeInRows) {
  std::vector<std::pair<MPI_Aint, MPI_Count>> rows;
  ASSERT_FALSE(for_each_unit(1, *pairs_of_three(),
                             [&](MPI_Aint at, MPI_Count n) { rows.emplace_back(at, n); }));
  const std::vector<std::pair<MPI_Aint, MPI_Count>> expected = {{0, 2}, {12, 2}, {24, 2}, {36, 2}};
  EXPECT_EQ(rows, expected);
}

TEST(Units, AreRefusedOfMixedTypes) {
  TypeRef t;
  const int ones[] = {1, 1};
  const MPI_Aint places[] = {0, 4};
  ASSERT_FALSE(
      make_struct(Call::plain, 2, ones, places, {predefined(MPI_INT), predefined(MPI_FLOAT)}, &t));
  const Failure f = for_each_unit(1, *t, [](MPI_Aint, MPI_Count) { FAIL(); });
  EXPECT_EQ(f.error_class, MPI_ERR_TYPE);
}

constexpr int kLevels = 200'000;

// One element of each level and one more, every second of an array: each level is a struct of an
// element and of the level before, which comes first or last.
TypeRef deep_type(MPI_Datatype of, MPI_Aint bytes, bool inner_first) {
  TypeRef t = predefined(of);
  const int ones[] = {1, 1};
  for (int i = 0; i < kLevels; ++i) {
    const MPI_Aint places[] = {0, inner_first ? (i + 1) * 2 * bytes : 2 * bytes};
    const TypeRef parts[] = {inner_first ? t : predefined(of), inner_first ? predefined(of) : t};
    TypeRef next;
    EXPECT_FALSE(make_struct(Call::plain, 2, ones, places, {parts[0], parts[1]}, &next));
    t = next;
  }
  return t;
}

TEST(Pack, GoesThroughTypesOfAnyDepth) {
  constexpr std::size_t kSize = kLevels + 1;
  for (const bool inner_first : {false, true}) {
    const TypeRef t = deep_type(MPI_CHAR, 1, inner_first);
    ASSERT_EQ(t->size, MPI_Count{kSize});
    ASSERT_GT(t->bytes.node->depth, kLevels / 2);
    std::vector<char> buffer(4 * kSize), packed(2 * kSize), back(4 * kSize);
    for (std::size_t i = 0; i < buffer.size(); ++i) buffer[i] = static_cast<char>(i * 7 + i / 251);
    const auto extent = static_cast<std::size_t>(t->bounds.extent());
    ASSERT_FALSE(pack(buffer.data(), 2, *t, 0, 2 * kSize, packed.data()));
    for (std::size_t i = 0; i < packed.size(); ++i)
      ASSERT_EQ(packed[i], buffer[i / kSize * extent + i % kSize * 2]) << i;
    // Parts, as messages are cut.
    std::vector<char> part(1000);
    for (std::size_t from = 7; from + part.size() < packed.size(); from += 33'333) {
      ASSERT_FALSE(pack(buffer.data(), 2, *t, static_cast<MPI_Count>(from), 1000, part.data()));
      ASSERT_EQ(std::memcmp(part.data(), packed.data() + from, part.size()), 0) << from;
    }
    ASSERT_FALSE(unpack(packed.data(), 0, kSize, back.data(), 1, *t));
    for (std::size_t i = 0; i < kSize; ++i) ASSERT_EQ(back[2 * i], buffer[2 * i]) << i;
    EXPECT_EQ(get_elements(kSize + 5, *t), MPI_Count{kSize + 5});
    EXPECT_EQ(bytes_of_elements(kSize + 5, *t), MPI_Count{kSize + 5});
  }
}

TEST(External, GoesThroughTypesOfAnyDepth) {
  for (const bool inner_first : {false, true}) {
    const TypeRef t = deep_type(MPI_LONG, 8, inner_first);
    MPI_Count bytes = 0;
    ASSERT_FALSE(external_bytes("external32", 1, *t, &bytes));
    EXPECT_EQ(bytes, 4 * (kLevels + 1));
    TypeRef made;
    ASSERT_FALSE(make_external_type(t, &made));
    EXPECT_EQ(made->size, bytes);
  }
}

}  // namespace
}  // namespace roam::mpi
