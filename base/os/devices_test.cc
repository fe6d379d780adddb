#include "base/os/devices.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace roam::os {
namespace {

class DevicesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (devices_may_write()) GTEST_SKIP() << "this machine has a device that writes into memory";
  }
  void TearDown() override {
    for (const int fd : open_) close(fd);
    EXPECT_TRUE(IsSkipped() || !devices_may_write()) << "all is closed again";
  }
  void keep(int fd) {
    ASSERT_GE(fd, 0);
    open_.push_back(fd);
  }
  std::vector<int> open_;
};

TEST_F(DevicesTest, FilesPipesAndHarmlessDevicesDoNot) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  keep(ends[0]);
  keep(ends[1]);
  for (const char* name : {"/dev/null", "/dev/zero", "/dev/urandom", "/proc/self/exe"})
    keep(open(name, O_RDONLY));
  keep(posix_openpt(O_RDWR | O_NOCTTY));
  EXPECT_FALSE(devices_may_write());
}

TEST_F(DevicesTest, AnIoUringMay) {
  io_uring_params parameters{};
  const long ring = syscall(SYS_io_uring_setup, 4, &parameters);
  if (ring < 0) GTEST_SKIP() << "there is none here";
  keep(static_cast<int>(ring));
  EXPECT_TRUE(devices_may_write());
  void* queue = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, open_.back(), 0);
  ASSERT_NE(queue, MAP_FAILED);
  close(open_.back());
  open_.pop_back();
  EXPECT_TRUE(devices_may_write()) << "it can be used by its number still";
  ASSERT_EQ(munmap(queue, 4096), 0);
}

TEST_F(DevicesTest, AContextOfAsynchronousRequestsMay) {
  aio_context_t context = 0;
  if (syscall(SYS_io_setup, 4, &context) != 0) GTEST_SKIP() << "there is none here";
  EXPECT_TRUE(devices_may_write());
  EXPECT_EQ(syscall(SYS_io_destroy, context), 0);
}

TEST_F(DevicesTest, AFileThatIsReadPastThePageCacheMay) {
  const std::string path = testing::TempDir() + "/direct";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_DIRECT, 0600);
  unlink(path.c_str());
  if (fd < 0) GTEST_SKIP() << "this file system has none";
  keep(fd);
  EXPECT_TRUE(devices_may_write());
}

// One that no program opens by accident: it takes part in nothing.
TEST_F(DevicesTest, ADeviceThatIsNotKnownMay) {
  const std::string path = testing::TempDir() + "/device";
  const dev_t cpu_registers = makedev(203, 0);  // /dev/cpu/0/cpuid: reading it changes nothing
  const char* device = "/dev/cpu/0/cpuid";
  int fd = open(device, O_RDONLY);
  if (fd < 0 && mknod(path.c_str(), S_IFCHR | 0600, cpu_registers) == 0) {
    fd = open(path.c_str(), O_RDONLY);
    unlink(path.c_str());
  }
  if (fd < 0) GTEST_SKIP() << "no device can be opened here";
  keep(fd);
  EXPECT_TRUE(devices_may_write());
}

TEST_F(DevicesTest, ItTakesLittle) {
  for (int i = 0; i < 100; ++i) keep(open("/dev/null", O_RDONLY));
  auto best = std::chrono::nanoseconds::max();
  for (int i = 0; i < 20; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_FALSE(devices_may_write());
    best = std::min(best, std::chrono::steady_clock::now() - begin);
  }
  RecordProperty("best_us", static_cast<int>(best.count() / 1000));
  EXPECT_LT(best, std::chrono::milliseconds(10));
  printf("best: %lld us\n", static_cast<long long>(best.count() / 1000));
}

}  // namespace
}  // namespace roam::os
