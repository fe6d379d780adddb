#include "base/os/file_pages.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>

#include "base/os/memory.h"

namespace roam::os {
namespace {

TEST(FilePages, AreTheFilesAndMemoryComesBack) {
  const int fd = open_to_read("/proc/self/exe");
  ASSERT_GE(fd, 0);
  const Range file = map_whole_file(fd);
  ASSERT_GT(file.bytes, 3 * kPageBytes);
  const Range memory = map_memory(4 * kPageBytes);
  ASSERT_NE(memory.bytes, 0u);
  std::memset(memory.pointer(), 7, memory.bytes);
  const Range middle{memory.begin + kPageBytes, 2 * kPageBytes};
  ASSERT_TRUE(lay_file_pages(middle, fd, kPageBytes));
  const char* bytes = static_cast<const char*>(memory.pointer());
  EXPECT_EQ(
      std::memcmp(middle.pointer(), static_cast<char*>(file.pointer()) + kPageBytes, middle.bytes),
      0);
  EXPECT_EQ(bytes[0], 7);
  EXPECT_EQ(bytes[3 * kPageBytes], 7);
  lay_memory(middle, -1, 0);
  EXPECT_EQ(bytes[kPageBytes], 0);
  static_cast<char*>(middle.pointer())[5] = 1;
  munmap(memory.pointer(), memory.bytes);
  munmap(file.pointer(), file.bytes);
  close_file(fd);
}

// The letters that the kernel has for the mapping at `a`.
std::string access_at(Address a) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0, end = 0;
    char access[5] = "";
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, access) == 3 && begin <= a &&
        a < end)
      return access;
  }
  return "none";
}

TEST(FilePages, StayExecutableWhenMemoryAroundThemIsOpened) {
  const int fd = open_to_read("/proc/self/exe");
  ASSERT_GE(fd, 0);
  const Range memory = map_memory(7 * kPageBytes);
  const auto page = [&](std::size_t i) { return Range{memory.begin + i * kPageBytes, kPageBytes}; };
  const auto opened = [&](Range range) {
    std::string all;
    EXPECT_EQ(mprotect(memory.pointer(), memory.bytes, PROT_NONE), 0);
    for (const std::size_t i : {1, 3, 6}) EXPECT_TRUE(lay_file_pages(page(i), fd, 0));
    EXPECT_TRUE(allow_access(range));
    for (std::size_t i = 0; i < 7; ++i) all += access_at(page(i).begin).substr(0, 3) + " ";
    for (const std::size_t i : {1, 3, 6}) lay_memory(page(i), -1, 0);
    return all;
  };
  EXPECT_EQ(opened(memory), "rw- r-x rw- r-x rw- rw- r-x ");
  EXPECT_EQ(opened(Range{page(1).begin, 2 * kPageBytes}), "--- r-x rw- r-x --- --- r-x ");
  EXPECT_EQ(opened(page(3)), "--- r-x --- r-x --- --- r-x ");
  EXPECT_EQ(opened(Range{page(2).begin, 4 * kPageBytes}), "--- r-x rw- r-x rw- rw- r-x ");
  EXPECT_TRUE(allow_access(memory));
  EXPECT_EQ(access_at(page(3).begin), "rw-p") << "nothing is left of those that were taken off";
  munmap(memory.pointer(), memory.bytes);
  close_file(fd);
}

// As the handler of a fault does that comes in a handler of the program.
TEST(FilePages, AccessIsGivenInHandlersOfSignalsToo) {
  static Range in_handler;
  static std::atomic<int> calls;
  in_handler = map_memory(kPageBytes);
  calls = 0;
  const Range memory = map_memory(4 * kPageBytes);
  struct sigaction mine = {}, before;
  mine.sa_handler = [](int) {
    EXPECT_TRUE(allow_access(in_handler));
    ++calls;
  };
  sigaction(SIGALRM, &mine, &before);
  const itimerval often{{0, 20}, {0, 20}}, never{};
  setitimer(ITIMER_REAL, &often, nullptr);
  while (calls < 500) EXPECT_TRUE(allow_access(memory));
  setitimer(ITIMER_REAL, &never, nullptr);
  sigaction(SIGALRM, &before, nullptr);
  munmap(memory.pointer(), memory.bytes);
  munmap(in_handler.pointer(), in_handler.bytes);
}

TEST(FilePages, AChildOfForkCanGiveAccessWhateverKernelThreadsDid) {
  const Range memory = map_memory(kPageBytes), theirs = map_memory(kPageBytes);
  std::atomic<bool> enough = false;
  std::thread other([&] {
    while (!enough) allow_access(theirs);
  });
  for (int i = 0; i < 100; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      _exit(allow_access(memory) ? 0 : 1);
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  enough = true;
  other.join();
  munmap(memory.pointer(), memory.bytes);
  munmap(theirs.pointer(), theirs.bytes);
}

TEST(FilePages, OfMemoryThatIsNewNothingIsLaid) {
  const int fd = open_to_read("/proc/self/exe");
  const Range memory = map_memory(4 * kPageBytes);
  const Range page{memory.begin + kPageBytes, kPageBytes};
  ASSERT_TRUE(lay_file_pages(page, fd, 0));
  ASSERT_TRUE(map_private(memory));
  EXPECT_TRUE(allow_access(memory));
  EXPECT_EQ(access_at(page.begin), "rw-p");
  munmap(memory.pointer(), memory.bytes);
  close_file(fd);
}

TEST(FilePages, OnlyRegularFilesAreOpened) {
  EXPECT_EQ(open_to_read("/nonexistent"), -1);
  EXPECT_EQ(errno, ENOENT);
  EXPECT_EQ(open_to_read("/"), -1);
  EXPECT_EQ(errno, EISDIR);
  EXPECT_EQ(open_to_read("/dev/null"), -1);
  EXPECT_EQ(errno, EINVAL);
}

}  // namespace
}  // namespace roam::os
