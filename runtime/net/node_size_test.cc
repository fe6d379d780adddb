#include "runtime/net/node_size.h"

#include <gtest/gtest.h>

#include "roam/error.h"

namespace roam::runtime {
namespace {

TEST(NodeSize, ANodeIsAllOfAMachineUnlessOtherwiseIsWanted) {
  EXPECT_EQ(node_size(1, 0, 240), 1);
  EXPECT_EQ(node_size(240, 0, 240), 240);
  EXPECT_EQ(node_size(4, 2, 240), 2);
  EXPECT_EQ(node_size(4, 1 << 24, 240), 1 << 24) << "more than there are";
  EXPECT_EQ(node_size(1000, 240, 240), 240);
}

TEST(NodeSize, AMachineOfMoreRanksThanANodeMayHaveIsSeveralNodesOfOneSize) {
  EXPECT_EQ(node_size(241, 0, 240), 121);
  EXPECT_EQ(node_size(256, 0, 240), 128);
  EXPECT_EQ(node_size(481, 0, 240), 161);
  EXPECT_EQ(node_size(5, 0, 2), 2) << "of 2, 2 and 1";
}

TEST(NodeSize, MoreThanANodeMayHaveAreRefused) {
  try {
    node_size(256, 250, 240);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::bad_option);
    EXPECT_NE(std::string(error.what()).find("ROAM_NODE_RANKS=250"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("at most 240"), std::string::npos);
  }
}

}  // namespace
}  // namespace roam::runtime
