#include "mpi/datatype/external.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "mpi/datatype/basic_table.h"
#include "mpi/datatype/constructors.h"

namespace roam::mpi {
namespace {

std::string packed(const void* buffer, MPI_Count count, const TypeRef& type) {
  MPI_Count bytes = 0, position = 0;
  EXPECT_FALSE(external_bytes("external32", count, *type, &bytes));
  std::string out(static_cast<std::size_t>(bytes), '\0');
  EXPECT_FALSE(pack_external("external32", buffer, count, *type, out.data(), bytes, &position));
  EXPECT_EQ(position, bytes);
  return out;
}

template <class T>
std::vector<T> there_and_back(const std::vector<T>& values, MPI_Datatype handle) {
  const TypeRef type = predefined(handle);
  const auto count = static_cast<MPI_Count>(values.size());
  const std::string bytes = packed(values.data(), count, type);
  std::vector<T> back(values.size());
  MPI_Count position = 0;
  EXPECT_FALSE(unpack_external("external32", bytes.data(), static_cast<MPI_Count>(bytes.size()),
                               &position, back.data(), count, *type));
  return back;
}

TEST(External, IsBigEndian) {
  const int value = 0x01020304;
  EXPECT_EQ(packed(&value, 1, predefined(MPI_INT)), std::string("\1\2\3\4", 4));
  const double one = 1;
  EXPECT_EQ(packed(&one, 1, predefined(MPI_DOUBLE)), std::string("\x3f\xf0\0\0\0\0\0\0", 8));
}

TEST(External, NarrowsLongsAndWideCharacters) {
  const std::vector<long> longs = {0, -1, 2147483647, -2147483648L, 77};
  EXPECT_EQ(packed(longs.data(), 5, predefined(MPI_LONG)).size(), 20U);
  EXPECT_EQ(there_and_back(longs, MPI_LONG), longs);
  const std::vector<unsigned long> unsigneds = {0, 4294967295UL};
  EXPECT_EQ(there_and_back(unsigneds, MPI_UNSIGNED_LONG), unsigneds);
  const std::vector<wchar_t> letters = {L'a', L'\x20ac', L'\xffee'};
  EXPECT_EQ(packed(letters.data(), 3, predefined(MPI_WCHAR)),
            std::string("\0a\x20\xac\xff\xee", 6));
  EXPECT_EQ(there_and_back(letters, MPI_WCHAR), letters);
  const std::vector<long long> wide = {-1234567890123456789LL};
  EXPECT_EQ(there_and_back(wide, MPI_LONG_LONG), wide);
}

TEST(External, HasLongDoublesInQuadruplePrecision) {
  const long double value = 1.5L;
  EXPECT_EQ(packed(&value, 1, predefined(MPI_LONG_DOUBLE)),
            std::string("\x3f\xff\x80", 3) + std::string(13, '\0'));
  using Limits = std::numeric_limits<long double>;
  const std::vector<long double> values = {0.0L,
                                           -0.0L,
                                           1.0L / 3,
                                           Limits::max(),
                                           Limits::min(),
                                           Limits::denorm_min(),
                                           -Limits::infinity(),
                                           1.0L + Limits::epsilon()};
  EXPECT_EQ(there_and_back(values, MPI_LONG_DOUBLE), values);
  const std::vector<long double> nan = {Limits::quiet_NaN()};
  EXPECT_TRUE(std::isnan(there_and_back(nan, MPI_LONG_DOUBLE)[0]));
  EXPECT_EQ(there_and_back(values, MPI_LONG_DOUBLE).size(), values.size());
}

TEST(External, TakesComplexNumbersAsTwo) {
  const float both[] = {1, 2};
  for (const MPI_Datatype handle : {MPI_COMPLEX, MPI_C_FLOAT_COMPLEX, MPI_CXX_FLOAT_COMPLEX})
    EXPECT_EQ(packed(both, 1, predefined(handle)), std::string("\x3f\x80\0\0\x40\0\0\0", 8));
}

TEST(External, TakesPairsAndStructsByTheirElements) {
  struct {
    double d;
    int i;
  } pair = {1, 2};
  EXPECT_EQ(packed(&pair, 1, predefined(MPI_DOUBLE_INT)),
            std::string("\x3f\xf0\0\0\0\0\0\0\0\0\0\2", 12));
  TypeRef t;
  const int ones[] = {1, 1};
  const MPI_Aint places[] = {8, 0};
  ASSERT_FALSE(
      make_struct(Call::plain, 2, ones, places, {predefined(MPI_INT), predefined(MPI_DOUBLE)}, &t));
  EXPECT_EQ(packed(&pair, 1, t), std::string("\0\0\0\2\x3f\xf0\0\0\0\0\0\0", 12));
}

TEST(External, SizesAreThoseOfTheTable) {
  for (const Basic& b : kBasic) {
    MPI_Count bytes = -1;
    ASSERT_FALSE(external_bytes("external32", 3, *predefined(b.handle), &bytes));
    EXPECT_EQ(bytes, 3 * b.external_bytes) << b.name;
    EXPECT_LE(b.external_bytes, b.bytes) << b.name;
  }
}

TEST(External, RefusesAndMovesNothing) {
  const TypeRef t = predefined(MPI_INT);
  int value = 7;
  char out[8] = {9};
  MPI_Count position = 5, bytes = 0;
  EXPECT_EQ(pack_external("external32", &value, 1, *t, out, 8, &position).error_class,
            MPI_ERR_TRUNCATE);
  EXPECT_EQ(unpack_external("external32", out, 8, &position, &value, 1, *t).error_class,
            MPI_ERR_TRUNCATE);
  EXPECT_EQ(pack_external("native", &value, 1, *t, out, 8, &position).error_class,
            MPI_ERR_UNSUPPORTED_DATAREP);
  EXPECT_EQ(external_bytes("external32", -1, *t, &bytes).error_class, MPI_ERR_COUNT);
  position = 9;
  EXPECT_EQ(pack_external("external32", &value, 0, *t, out, 8, &position).error_class, MPI_ERR_ARG);
  EXPECT_EQ(position, 9);
  EXPECT_EQ(out[0], 9);
  EXPECT_EQ(value, 7);
}

}  // namespace
}  // namespace roam::mpi
