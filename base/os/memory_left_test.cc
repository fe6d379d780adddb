#include "base/os/memory_left.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace roam::os {
namespace {

// A machine with 100 MiB left, of whose control groups the tests write what they are about.
class MemoryLeft : public testing::Test {
 protected:
  MemoryLeft() {
    std::filesystem::remove_all(root_);
    put("/proc/meminfo",
        "MemTotal:       24683652 kB\nMemFree:            1000 kB\n"
        "MemAvailable:     102400 kB\n");
  }
  void put(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void put_group(const std::string& folder, const std::string& most, std::uint64_t used) {
    put(folder + "/memory.max", most + "\n");
    put(folder + "/memory.current", std::to_string(used) + "\n");
  }
  void put_group1(const std::string& folder, std::uint64_t most, std::uint64_t used) {
    put(folder + "/memory.limit_in_bytes", std::to_string(most) + "\n");
    put(folder + "/memory.usage_in_bytes", std::to_string(used) + "\n");
  }
  std::uint64_t left() const { return memory_left(root_) >> 20; }

  const std::string root_ = testing::TempDir() + "machine";
};

constexpr std::uint64_t kMiB = 1 << 20;
constexpr char kMountOf2[] =
    "30 24 0:26 / /sys/fs/cgroup rw,nosuid,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr char kMountsOf1[] =
    "27 25 0:21 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "36 25 0:23 / /sys/fs/cgroup/memory rw,relatime shared:10 - cgroup cgroup rw,memory\n"
    "43 25 0:30 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

TEST_F(MemoryLeft, IsWhatTheKernelSaysWithoutGroups) {
  EXPECT_EQ(left(), 100u);
  EXPECT_GT(memory_left(), 0u);  // of this machine
}

TEST_F(MemoryLeft, AGroupAndThoseThatItLiesInHaveLimits) {
  put("/proc/self/mountinfo", kMountOf2);
  put("/proc/self/cgroup", "0::/jobs/one\n");
  put_group("/sys/fs/cgroup/jobs/one", "max", 10 * kMiB);
  EXPECT_EQ(left(), 100u);
  put_group("/sys/fs/cgroup/jobs/one", std::to_string(50 * kMiB), 10 * kMiB);
  EXPECT_EQ(left(), 40u);
  put_group("/sys/fs/cgroup/jobs", std::to_string(60 * kMiB), 59 * kMiB);
  EXPECT_EQ(left(), 1u);
  put_group("/sys/fs/cgroup/jobs", std::to_string(60 * kMiB), 61 * kMiB);
  EXPECT_EQ(left(), 0u);
}

TEST_F(MemoryLeft, WhatTheKernelTakesBackCountsAsLeft) {
  put("/proc/self/mountinfo", kMountOf2);
  put("/proc/self/cgroup", "0::/job\n");
  put_group("/sys/fs/cgroup/job", std::to_string(50 * kMiB), 49 * kMiB);
  EXPECT_EQ(left(), 1u);
  put("/sys/fs/cgroup/job/memory.stat",
      "anon 9437184\nfile 41943040\ninactive_file 31457280\nactive_file 10485760\n");
  EXPECT_EQ(left(), 31u);
}

TEST_F(MemoryLeft, GroupsOfVersion1HaveLimitsToo) {
  put("/proc/self/mountinfo", kMountsOf1);
  put("/proc/self/cgroup", "8:cpu,cpuacct:/other\n4:memory:/slurm/job_7\n0::/init\n");
  const std::string group = "/sys/fs/cgroup/memory/slurm/job_7";
  put_group1("/sys/fs/cgroup/memory", 0x7ffffffffffff000, 500 * kMiB);
  put_group1(group, 64 * kMiB, 30 * kMiB);
  EXPECT_EQ(left(), 34u);
  put(group + "/memory.stat", "inactive_file 1048576\ntotal_inactive_file 4194304\n");
  EXPECT_EQ(left(), 38u);
  put_group1("/sys/fs/cgroup/memory/slurm", 64 * kMiB, 60 * kMiB);
  EXPECT_EQ(left(), 4u);
  put_group1("/sys/fs/cgroup/memory/other", 64 * kMiB, 64 * kMiB);
  EXPECT_EQ(left(), 4u);
}

TEST_F(MemoryLeft, AContainerSeesItsOwnGroupAsTheRoot) {
  put("/proc/self/mountinfo",
      "36 25 0:23 /docker/77 /sys/fs/cgroup/memory ro,relatime - cgroup cgroup rw,memory\n");
  put("/proc/self/cgroup", "4:memory:/docker/77/inner\n");
  put_group1("/sys/fs/cgroup/memory", 80 * kMiB, 20 * kMiB);
  EXPECT_EQ(left(), 60u);
  put_group1("/sys/fs/cgroup/memory/inner", 30 * kMiB, 20 * kMiB);
  EXPECT_EQ(left(), 10u);
  put("/proc/self/cgroup", "4:memory:/docker/77\n");
  EXPECT_EQ(left(), 60u);
  for (const char* group : {"/elsewhere", "/docker/771", "/docker/7", "/docker"}) {
    put("/proc/self/cgroup", std::string("4:memory:") + group + "\n");
    EXPECT_EQ(left(), 100u) << group << " lies elsewhere";
  }
}

}  // namespace
}  // namespace roam::os
