// Memory that came to a node with a thread is usable on each rank of it, by system calls too, which
// do not reach the fault handler.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

// The kernel writes the same bytes of a file into memory of each kind.
void read_everywhere(std::vector<std::vector<char>>& buffers) {
  std::array<char, 20'000> local;
  std::array<char, 64> want;
  const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  expect(fd >= 0, "the program is a file");
  const auto good = [&](char* to, std::size_t bytes) {
    return pread(fd, to, bytes, 0) == static_cast<ssize_t>(bytes) &&
           std::memcmp(to, want.data(), want.size()) == 0;
  };
  expect(pread(fd, want.data(), want.size(), 0) == static_cast<ssize_t>(want.size()), "it is read");
  expect(good(local.data(), local.size()), "into a local");
  for (std::vector<char>& buffer : buffers)
    expect(good(buffer.data(), buffer.size()), "into a block of the heap");
  close(fd);
}

SCENARIO(Admitted, WhatCameWithAThreadToSystemCallsOnEachRank) {
  std::vector<roam::Thread> threads;
  for (int i = 0; i < 40; ++i) {
    threads.push_back(roam::spawn(roam::SpawnOptions{.rank = i % roam::ranks()}, [i] {
      std::vector<std::vector<char>> buffers;
      for (int hop = 0; hop < 60; ++hop) {
        if (hop % 6 == 0) buffers.emplace_back(std::size_t{100} << (hop % 13));
        read_everywhere(buffers);
        roam::this_thread::migrate((i + hop * 7 + hop / 3) % roam::ranks());
      }
    }));
  }
  for (const roam::Thread t : threads) t.join();
}

}  // namespace
}  // namespace roam_test
