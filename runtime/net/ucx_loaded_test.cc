// UCX comes with a library that the program loads for itself alone.
//
//   ucx_loaded_test FILE     FILE: in the place of UCX
#include <dlfcn.h>
#include <gtest/gtest.h>

#include "runtime/net/ucx_disconnect.h"

extern "C" void* ucp_disconnect_nb(void* endpoint);

namespace roam::runtime {
namespace {

const char* library_file = nullptr;

TEST(UcxDisconnect, IsThatOfALibraryThatIsLoadedLater) {
  int endpoint = 0;
  EXPECT_EQ(dlsym(RTLD_DEFAULT, "ucx_in_test"), nullptr);
  EXPECT_NE(ucp_disconnect_nb(&endpoint), nullptr) << "nobody's disconnect is done by nobody";
  void* library = dlopen(library_file, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  EXPECT_EQ(dlsym(RTLD_DEFAULT, "ucx_in_test"), nullptr) << "others can find it";
  EXPECT_EQ(ucp_disconnect_nb(&endpoint), &endpoint);
  {
    NoUcxDisconnect none;
    EXPECT_EQ(ucp_disconnect_nb(&endpoint), nullptr);
  }
  dlclose(library);
  EXPECT_EQ(ucp_disconnect_nb(&endpoint), &endpoint) << "it stays for who may still call it";
}

}  // namespace
}  // namespace roam::runtime

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc > 1) roam::runtime::library_file = argv[1];
  return RUN_ALL_TESTS();
}
