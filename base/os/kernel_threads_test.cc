#include "base/os/kernel_threads.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

namespace roam::os {
namespace {

// What it does once `ready` says so, as look_at() tells it.
std::string seen(int id) {
  char call[64] = "";
  while (look_at(id, call, sizeof call) == Doing::kRuns) usleep(1000);
  return call;
}

TEST(KernelThreads, OneThatReadsIsSeenInItsRead) {
  int line[2];
  ASSERT_EQ(pipe(line), 0);
  std::atomic<int> id = 0;
  const int before = kernel_threads();
  std::thread reader([&] {
    id = kernel_thread_id();
    char byte;
    EXPECT_EQ(read(line[0], &byte, 1), 1);
  });
  while (id == 0) usleep(1000);
  EXPECT_EQ(kernel_threads(), before + 1);
  EXPECT_EQ(seen(id), "read of descriptor " + std::to_string(line[0]));
  const std::int64_t had = processor_ns(id);
  EXPECT_GT(had, 0);
  usleep(20'000);
  EXPECT_EQ(processor_ns(id), had) << "who waits has no processor time";
  EXPECT_EQ(write(line[1], "x", 1), 1);
  reader.join();
  close(line[0]);
  close(line[1]);
}

TEST(KernelThreads, OneThatComputesRunsAndHasProcessorTime) {
  std::atomic<int> id = 0;
  std::atomic<bool> enough = false;
  std::thread worker([&] {
    id = kernel_thread_id();
    while (!enough) {
    }
  });
  while (id == 0) usleep(1000);
  char call[64] = "";
  EXPECT_EQ(look_at(id, call, sizeof call), Doing::kRuns);
  const std::int64_t had = processor_ns(id);
  while (processor_ns(id) < had + 1'000'000) usleep(1000);
  enough = true;
  worker.join();
}

TEST(KernelThreads, OneThatIsNotThereIsUnknown) {
  char call[64] = "";
  EXPECT_EQ(look_at(0, call, sizeof call), Doing::kUnknown);
}

}  // namespace
}  // namespace roam::os
