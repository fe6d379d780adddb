#include "base/fnv.h"

#include <gtest/gtest.h>

#include <string_view>

namespace roam {
namespace {

// Values of the authors' own tests.
TEST(Fnv, IsTheOneOfItsAuthors) {
  EXPECT_EQ(fnv_of(""), 0xcbf29ce484222325u);
  EXPECT_EQ(fnv_of("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(fnv_of("foobar"), 0x85944171f73967e8u);
  EXPECT_NE(fnv_of(std::string_view("a\0", 2)), fnv_of("a"));
  EXPECT_NE(fnv_of("\xff"), fnv_of("\x7f"));
}

TEST(Fnv, PartsAreAsTheWhole) {
  Fnv hash;
  hash.add("foo");
  hash.add('b');
  hash.add("ar");
  EXPECT_EQ(hash.value(), fnv_of("foobar"));
}

}  // namespace
}  // namespace roam
