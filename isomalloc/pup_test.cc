#include "roam/pup.h"

#include <gtest/gtest.h>

#include <array>
#include <climits>
#include <cstdio>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/test_bytes.h"
#include "roam/error.h"
#include "roam/pup_c.h"

namespace roam {
namespace {

template <class T>
std::vector<char> packed(T& value) {
  PupSizer sizer;
  sizer | value;
  std::vector<char> image(sizer.bytes());
  PupToMemory packer(image.data());
  packer | value;
  EXPECT_EQ(packer.bytes(), sizer.bytes());
  return image;
}

// Packs into memory and into a file, and unpacks from each.
template <class T>
void expect_round_trip(T value) {
  const std::vector<char> image = packed(value);
  T from_memory{};
  PupFromMemory unpacker(image.data(), image.size());
  unpacker | from_memory;
  EXPECT_EQ(unpacker.bytes(), image.size());
  EXPECT_EQ(from_memory, value);

  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  pup_er to = pup_new_toDisk(file);
  *static_cast<Pup*>(to) | value;
  EXPECT_EQ(pup_size(to), image.size());
  pup_destroy(to);
  std::rewind(file);
  T from_file{};
  pup_er from = pup_new_fromDisk(file);
  *static_cast<Pup*>(from) | from_file;
  pup_destroy(from);
  std::fclose(file);
  EXPECT_EQ(from_file, value);

  // Unpacking replaces what was there.
  T again = value;
  PupFromMemory second(image.data(), image.size());
  second | again;
  EXPECT_EQ(again, value);

  // Nothing but the whole image will do.
  if (image.empty()) return;
  T none{};
  try {
    PupFromMemory part(image.data(), image.size() - 1);
    part | none;
    ADD_FAILURE() << "read past the end";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::corrupt_image);
  }
}

enum class Colour : short { kRed = 3, kBlue = -7 };
struct Plain {
  int a;
  double b;
  friend bool operator==(const Plain&, const Plain&) = default;
};
struct Body {
  double mass = 0;
  std::vector<Plain> path;
  std::string name;
  void pup(Pup& p) { p | mass | path | name; }
  friend bool operator==(const Body&, const Body&) = default;
};
struct Outside {
  int x = 0;
  int not_packed = 0;
  friend bool operator==(const Outside& a, const Outside& b) { return a.x == b.x; }
};
void pup(Pup& p, Outside& value) { p | value.x; }
struct Tag {
  void pup(Pup&) {}
  friend bool operator==(const Tag&, const Tag&) = default;
};

TEST(Pup, NumbersAndPlainTypesGoAsTheirBytes) {
  expect_round_trip(true);
  expect_round_trip('x');
  expect_round_trip(std::numeric_limits<short>::min());
  expect_round_trip(std::numeric_limits<int>::max());
  expect_round_trip(std::numeric_limits<long>::min());
  expect_round_trip(std::numeric_limits<unsigned long>::max());
  expect_round_trip(1.5f);
  expect_round_trip(-1e300);
  expect_round_trip(3.25L);
  expect_round_trip(Colour::kBlue);
  expect_round_trip(Plain{1, 2.5});
  int target = 0;
  expect_round_trip(&target);
  double number = 1;
  EXPECT_EQ(packed(number).size(), sizeof(double));
}

TEST(Pup, StringsAndVectorsOfAnyLengthComeBack) {
  std::mt19937_64 random(test_seed());
  for (const std::size_t n : {0ul, 1ul, 15ul, 16ul, 1000ul, 100'000ul}) {
    std::string text(n, '\0');
    fill_bytes(text.data(), n, random());
    expect_round_trip(text);
    std::vector<std::uint64_t> numbers(n);
    fill_bytes(numbers.data(), n * 8, random());
    expect_round_trip(numbers);
    std::vector<bool> bits(n);
    for (std::size_t i = 0; i < n; ++i) bits[i] = random() % 2 != 0;
    expect_round_trip(bits);
  }
}

TEST(Pup, ContainersOfContainersComeBack) {
  expect_round_trip(std::vector<std::string>{"", "a", std::string(1000, 'b')});
  expect_round_trip(std::vector<std::vector<std::vector<int>>>{{}, {{1}, {}}, {{2, 3}, {4}}});
  expect_round_trip(std::map<std::string, std::vector<int>>{{"", {}}, {"a", {1}}, {"b", {2, 3}}});
  expect_round_trip(std::map<int, std::map<int, std::string>>{{1, {{2, "x"}}}, {-3, {}}});
  expect_round_trip(std::pair<std::string, int>{"x", 4});
  expect_round_trip(std::pair<int, int>{3, 4});
  expect_round_trip(std::array<std::string, 3>{"x", "", "z"});
  expect_round_trip(std::array<int, 4>{1, 2, 3, 4});
  expect_round_trip(std::optional<std::string>{});
  expect_round_trip(std::optional<std::string>{"x"});
  expect_round_trip(std::optional<int>{7});
  expect_round_trip(std::vector<std::optional<std::string>>{{}, {"y"}});
}

TEST(Pup, TypesDescribeThemselvesOnceForEachDirection) {
  expect_round_trip(Body{1.5, {{1, 2}, {3, 4}}, "comet"});
  expect_round_trip(std::vector<Body>{{}, {2, {{5, 6}}, "star"}});
  expect_round_trip(std::map<int, Body>{{1, {3, {}, "x"}}});
  expect_round_trip(Outside{5});
  Outside value{5, 6};
  EXPECT_EQ(packed(value).size(), sizeof(int)) << "its own function decides what goes";
  std::vector<Outside> values{{1, 2}, {3, 4}};
  EXPECT_EQ(packed(values).size(), sizeof(std::size_t) + 2 * sizeof(int));
}

TEST(Pup, ElementsThatArePackedToNothingComeBack) {
  expect_round_trip(std::vector<Tag>(3));
  expect_round_trip(std::vector<Tag>(1'000'000));
  expect_round_trip(std::vector<std::vector<Tag>>{std::vector<Tag>(100), {}, std::vector<Tag>(7)});
  expect_round_trip(std::vector<std::array<Tag, 3>>(20));
  expect_round_trip(std::map<int, Tag>{{1, {}}, {2, {}}});
  std::vector<Tag> tags(3);
  std::vector<char> image = packed(tags);
  for (const std::size_t count : {std::size_t{1} << 40, std::size_t{1} << 60, SIZE_MAX}) {
    std::memcpy(image.data(), &count, sizeof count);
    PupFromMemory from_memory(image.data(), image.size());
    EXPECT_THROW(from_memory | tags, Error) << count;
  }
}

TEST(Pup, SizingAndPackingLeaveTheValueAsItIs) {
  Body body{1.5, {{1, 2}}, "comet"};
  const Body before = body;
  packed(body);
  EXPECT_EQ(body, before);
}

TEST(Pup, SaysWhatItDoes) {
  PupSizer sizer;
  EXPECT_TRUE(sizer.sizing() && !sizer.packing() && !sizer.unpacking() && !sizer.deleting());
  char buffer[8];
  PupToMemory packer(buffer, true);
  EXPECT_TRUE(packer.packing() && packer.deleting());
  packer.set_deleting(false);
  EXPECT_FALSE(packer.deleting());
  PupFromMemory unpacker(buffer);
  EXPECT_TRUE(unpacker.unpacking() && !unpacker.deleting());
}

template <class T>
void expect_corrupt(std::vector<char> image) {
  for (const std::size_t count :
       {image.size() + 1, std::size_t{1} << 40, std::size_t{1} << 60, SIZE_MAX}) {
    std::memcpy(image.data(), &count, sizeof count);
    std::FILE* file = std::tmpfile();
    ASSERT_EQ(std::fwrite(image.data(), 1, image.size(), file), image.size());
    std::rewind(file);
    pup_er from_disk = pup_new_fromDisk(file);
    PupFromMemory from_memory(image.data(), image.size());
    for (Pup* p : {static_cast<Pup*>(&from_memory), static_cast<Pup*>(from_disk)}) {
      T value;
      try {
        *p | value;
        ADD_FAILURE() << "a count of " << count << " was taken";
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Errc::corrupt_image);
      } catch (const std::exception& error) {
        ADD_FAILURE() << "a count of " << count
                      << (p == &from_memory ? " in memory: " : " in a file: ") << error.what();
      }
    }
    pup_destroy(from_disk);
    std::fclose(file);
  }
}

TEST(Pup, ACountThatTheDataCannotHoldIsACorruptImage) {
  std::string text = "some text";
  expect_corrupt<std::string>(packed(text));
  std::vector<double> numbers{1, 2, 3};
  expect_corrupt<std::vector<double>>(packed(numbers));
  std::vector<std::string> texts{"a", "b"};
  expect_corrupt<std::vector<std::string>>(packed(texts));
  std::vector<bool> bits{true, false};
  expect_corrupt<std::vector<bool>>(packed(bits));
  std::vector<Body> bodies(2);
  expect_corrupt<std::vector<Body>>(packed(bodies));
  std::map<int, int> map{{1, 2}, {3, 4}};
  expect_corrupt<std::map<int, int>>(packed(map));
}

TEST(Pup, AFileThatCannotBeWrittenOrReadIsASystemError) {
  std::FILE* read_only = std::fopen("/dev/null", "r");
  std::setvbuf(read_only, nullptr, _IONBF, 0);
  std::FILE* full = std::fopen("/dev/full", "w");
  std::setvbuf(full, nullptr, _IONBF, 0);
  for (std::FILE* file : {read_only, full}) {
    pup_er p = pup_new_toDisk(file);
    int value = 5;
    try {
      *static_cast<Pup*>(p) | value;
      ADD_FAILURE() << "was written";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::system);
    }
    pup_destroy(p);
    std::fclose(file);
  }
}

// ---- from C ----

template <class T>
void expect_c_round_trip(void (*one)(pup_er, T*), void (*many)(pup_er, T*, size_t)) {
  T values[5], single;
  fill_bytes(values, sizeof values, 3);
  fill_bytes(&single, sizeof single, 4);
  const auto traverse = [&](pup_er p, T* first, T* rest) {
    one(p, first);
    many(p, rest, 5);
    many(p, rest, 0);
  };
  pup_er sizer = pup_new_sizer();
  traverse(sizer, &single, values);
  ASSERT_EQ(pup_size(sizer), 6 * sizeof(T));
  pup_destroy(sizer);

  char buffer[6 * sizeof(T)];
  pup_er to = pup_new_toMem(buffer);
  traverse(to, &single, values);
  pup_destroy(to);
  T values2[5], single2;
  pup_er from = pup_new_fromMem(buffer);
  traverse(from, &single2, values2);
  pup_destroy(from);
  EXPECT_TRUE(holds_bytes(&single2, sizeof single2, 4));
  EXPECT_TRUE(holds_bytes(values2, sizeof values2, 3));

  std::FILE* file = std::tmpfile();
  to = pup_new_toDisk(file);
  traverse(to, &single, values);
  pup_destroy(to);
  std::rewind(file);
  T values3[5], single3;
  from = pup_new_fromDisk(file);
  traverse(from, &single3, values3);
  pup_destroy(from);
  std::fclose(file);
  EXPECT_TRUE(holds_bytes(&single3, sizeof single3, 4));
  EXPECT_TRUE(holds_bytes(values3, sizeof values3, 3));
}

TEST(PupFromC, EachTypeGoesToMemoryAndToDiskAndBack) {
  expect_c_round_trip(pup_char, pup_chars);
  expect_c_round_trip(pup_short, pup_shorts);
  expect_c_round_trip(pup_int, pup_ints);
  expect_c_round_trip(pup_long, pup_longs);
  expect_c_round_trip(pup_uchar, pup_uchars);
  expect_c_round_trip(pup_ushort, pup_ushorts);
  expect_c_round_trip(pup_uint, pup_uints);
  expect_c_round_trip(pup_ulong, pup_ulongs);
  expect_c_round_trip(pup_float, pup_floats);
  expect_c_round_trip(pup_double, pup_doubles);
  expect_c_round_trip(pup_pointer, pup_pointers);
  expect_c_round_trip(pup_int8, pup_int8s);
  expect_c_round_trip(pup_size_t, pup_size_ts);
}

TEST(PupFromC, ACountWhoseBytesNoNumberHoldsIsACorruptImage) {
  int values[2] = {};
  long long wide[2] = {};
  char buffer[64] = {};
  pup_er from = pup_new_fromMem(buffer), sizer = pup_new_sizer();
  for (pup_er p : {from, sizer}) {
    try {
      pup_ints(p, values, SIZE_MAX / sizeof(int) + 2);
      ADD_FAILURE() << "was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::corrupt_image);
    }
    EXPECT_THROW(pup_int8s(p, wide, SIZE_MAX), Error);
    EXPECT_EQ(pup_size(p), 0u);
    pup_destroy(p);
  }
}

TEST(PupFromC, RawBytesGoBeyondABuffer) {
  std::vector<char> bytes(1 << 20), back(1 << 20), image(1 << 20);
  fill_bytes(bytes.data(), bytes.size(), 5);
  pup_er to = pup_new_toMem(image.data());
  pup_bytes(to, bytes.data(), bytes.size());
  EXPECT_EQ(pup_size(to), bytes.size());
  pup_destroy(to);
  pup_er from = pup_new_fromMem(image.data());
  pup_bytes(from, back.data(), 1000);
  pup_bytes(from, back.data() + 1000, back.size() - 1000);
  pup_destroy(from);
  EXPECT_TRUE(holds_bytes(back.data(), back.size(), 5));
}

}  // namespace
}  // namespace roam
