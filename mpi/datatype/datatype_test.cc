#include "mpi/datatype/datatype.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "mpi/datatype/basic_table.h"
#include "mpi/datatype/constructors.h"

namespace roam::mpi {
namespace {

TypeRef made(const Failure& f, const TypeRef& type) {
  EXPECT_FALSE(f) << f.text;
  return type;
}

TypeRef vector_of(MPI_Count count, MPI_Count length, MPI_Count stride, MPI_Datatype of) {
  TypeRef t;
  return made(make_vector(Call::plain, count, length, stride, predefined(of), &t), t);
}

TEST(Predefined, HaveTheirSizeInTheirHandle) {
  std::set<MPI_Datatype> handles;
  for (const Basic& b : kBasic) {
    EXPECT_TRUE(handles.insert(b.handle).second) << b.name;
    const TypeRef t = predefined(b.handle);
    ASSERT_TRUE(t) << b.name;
    EXPECT_EQ(t->size, b.handle >> 8 & 0xff) << b.name;
    EXPECT_EQ(t->bounds.extent(), t->size) << b.name;
    EXPECT_TRUE(t->named());
    EXPECT_EQ(t->unit, t.get());
  }
  for (const Pair& p : kPair) {
    EXPECT_TRUE(handles.insert(p.handle).second) << p.name;
    ASSERT_TRUE(predefined(p.handle)) << p.name;
    EXPECT_EQ(predefined(p.handle)->size, find_basic(p.first)->bytes + find_basic(p.second)->bytes);
  }
}

TEST(Predefined, LieAsTheCompilerLaysThem) {
  struct DoubleInt {
    double d;
    int i;
  };
  struct ShortInt {
    short s;
    int i;
  };
  struct LongDoubleInt {
    long double d;
    int i;
  };
  EXPECT_EQ(predefined(MPI_DOUBLE_INT)->bounds.extent(), MPI_Aint{sizeof(DoubleInt)});
  EXPECT_EQ(predefined(MPI_SHORT_INT)->bounds.extent(), MPI_Aint{sizeof(ShortInt)});
  EXPECT_EQ(predefined(MPI_LONG_DOUBLE_INT)->bounds.extent(), MPI_Aint{sizeof(LongDoubleInt)});
  EXPECT_EQ(find_pair(MPI_SHORT_INT)->second_offset, offsetof(ShortInt, i));
  EXPECT_EQ(find_basic(MPI_LONG_DOUBLE)->bytes, sizeof(long double));
  EXPECT_EQ(find_basic(MPI_WCHAR)->bytes, sizeof(wchar_t));
}

TEST(Predefined, AreTheSameEachTimeAndNoOthersAre) {
  EXPECT_EQ(predefined(MPI_INT).get(), predefined(MPI_INT).get());
  EXPECT_FALSE(predefined(MPI_DATATYPE_NULL));
  EXPECT_FALSE(predefined(static_cast<MPI_Datatype>(0x8c000010)));
  EXPECT_FALSE(predefined(0));
}

TEST(TypeLayout, BytesInARowAreOneRun) {
  EXPECT_EQ(vector_of(5, 3, 3, MPI_DOUBLE)->bytes.node->kind, Node::Kind::run);
  TypeRef t;
  const int lengths[] = {2, 1, 3};
  const MPI_Aint places[] = {0, 8, 12};
  const std::vector<TypeRef> types = {predefined(MPI_INT), predefined(MPI_FLOAT),
                                      predefined(MPI_CHAR)};
  ASSERT_FALSE(make_struct(Call::plain, 3, lengths, places, types, &t));
  EXPECT_EQ(t->bytes.node->kind, Node::Kind::run);
  EXPECT_EQ(t->bytes.node->bytes, 15);
  EXPECT_EQ(t->typed.node->kind, Node::Kind::parts);
  EXPECT_EQ(t->typed.node->elements, 6);
}

TEST(TypeLayout, EqualBlocksAtEqualDistancesAreALoop) {
  TypeRef t;
  const int places[] = {0, 4, 8, 12};
  ASSERT_FALSE(make_indexed_block(Call::plain, 4, 1, places, predefined(MPI_DOUBLE), &t));
  EXPECT_EQ(t->bytes.node->kind, Node::Kind::loop);
  EXPECT_EQ(t->bytes.node->stride, 32);
  // And loops that go on in each other's stride are one.
  TypeRef rows;
  ASSERT_FALSE(make_hvector(Call::plain, 3, 1, 128, t, &rows));
  EXPECT_EQ(rows->bytes.node->count, 12);
}

TEST(TypeLayout, IsNoDeeperThanItsBytesAllow) {
  TypeRef t = predefined(MPI_CHAR);
  for (int i = 0; i < 1000; ++i) {
    TypeRef next;
    ASSERT_FALSE(make_resized(Call::plain, t, -i, 5, &next));
    ASSERT_FALSE(make_contiguous(Call::plain, 1, next, &t));
  }
  EXPECT_EQ(t->bytes.node->kind, Node::Kind::run);
}

TEST(Contiguous, SaysWhereTheBytesAre) {
  MPI_Aint offset = -1;
  MPI_Count bytes = -1;
  EXPECT_TRUE(contiguous(7, *predefined(MPI_DOUBLE), &offset, &bytes));
  EXPECT_EQ(offset, 0);
  EXPECT_EQ(bytes, 56);
  EXPECT_TRUE(contiguous(1, *predefined(MPI_DOUBLE_INT), &offset, &bytes));
  EXPECT_EQ(bytes, 12);
  EXPECT_FALSE(contiguous(2, *predefined(MPI_DOUBLE_INT), &offset, &bytes));
  EXPECT_TRUE(contiguous(0, *predefined(MPI_DOUBLE_INT), &offset, &bytes));
  TypeRef t;
  const int one = 1, place = 5;
  ASSERT_FALSE(make_indexed(Call::plain, 1, &one, &place, predefined(MPI_INT), &t));
  EXPECT_TRUE(contiguous(1, *t, &offset, &bytes));
  EXPECT_EQ(offset, 20);
}

// A stack of a virtual rank is small.
TEST(Datatype, AChainOfAMillionIsFreed) {
  TypeRef t = predefined(MPI_INT);
  for (int i = 0; i < 1'000'000; ++i) {
    TypeRef next;
    ASSERT_FALSE(make_dup(t, &next));
    t = next;
  }
  EXPECT_EQ(t->size, 4);
}

TEST(Datatype, LivesAsLongAsOneIsMadeOfIt) {
  TypeRef outer;
  {
    const TypeRef inner = vector_of(4, 1, 2, MPI_FLOAT);
    ASSERT_FALSE(make_contiguous(Call::plain, 2, inner, &outer));
  }
  ASSERT_EQ(outer->contents.types.size(), 1U);
  EXPECT_EQ(outer->contents.types[0]->contents.integers, (std::vector<int>{4, 1, 2}));
  EXPECT_EQ(outer->unit, predefined(MPI_FLOAT).get());
}

}  // namespace
}  // namespace roam::mpi
