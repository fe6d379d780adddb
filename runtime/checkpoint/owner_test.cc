#include "runtime/checkpoint/owner.h"

#include <gtest/gtest.h>

#include <string>

namespace roam::runtime {
namespace {

TEST(Owner, OthersFilesAreRefusedUnlessToldOtherwise) {
  std::string why;
  EXPECT_TRUE(may_be_read(1000, 1000, false, &why));
  EXPECT_TRUE(may_be_read(1000, 1000, true, &why));
  EXPECT_TRUE(may_be_read(1000, 1001, true, &why));
  EXPECT_EQ(why, "");
  EXPECT_FALSE(may_be_read(1000, 1001, false, &why));
  EXPECT_NE(why.find("belongs to user 1000, and this is user 1001"), std::string::npos) << why;
  EXPECT_NE(why.find("of=others"), std::string::npos) << why;
}

// Root can read all files, and would run what anybody wrote.
TEST(Owner, RootIsNoExceptionEitherWay) {
  std::string why;
  EXPECT_FALSE(may_be_read(1000, 0, false, &why));
  EXPECT_FALSE(may_be_read(0, 1000, false, &why));
}

}  // namespace
}  // namespace roam::runtime
