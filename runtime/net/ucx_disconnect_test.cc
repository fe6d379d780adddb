#include "runtime/net/ucx_disconnect.h"

#include <gtest/gtest.h>

#include <thread>

extern "C" void* ucp_disconnect_nb(void* endpoint);
extern "C" int ucx_in_test();

namespace roam::runtime {
namespace {

TEST(UcxDisconnect, IsUcxsButWhileNoneIsWanted) {
  ASSERT_EQ(ucx_in_test(), 1);
  int endpoint = 0;
  EXPECT_EQ(ucp_disconnect_nb(&endpoint), &endpoint);
  {
    NoUcxDisconnect none;
    EXPECT_EQ(ucp_disconnect_nb(&endpoint), nullptr);
  }
  EXPECT_EQ(ucp_disconnect_nb(&endpoint), &endpoint);
}

TEST(UcxDisconnect, IsUcxsForOtherKernelThreadsMeanwhile) {
  int endpoint = 0;
  NoUcxDisconnect none;
  void* result = nullptr;
  std::thread([&] { result = ucp_disconnect_nb(&endpoint); }).join();
  EXPECT_EQ(result, &endpoint);
}

}  // namespace
}  // namespace roam::runtime
