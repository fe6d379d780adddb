// Of the checkpoints that are kept one shares no file with the newest, once there have been two
// full ones: each third is full here, and two are kept.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBytes = 4 << 20, kPage = 4096;

std::string names_in(const std::string& folder) {
  const roam::SystemHeap process;
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (fs::exists(entry.path() / "manifest")) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  std::string all;
  for (const std::string& name : names) all += name + " ";
  return all;
}

SCENARIO(Keep, OneThatSharesNoFileWithTheNewest) {
  const std::string folder =
      std::string(std::getenv("TEST_TMPDIR") != nullptr ? std::getenv("TEST_TMPDIR") : "/tmp") +
      "/keep_apart." + std::to_string(getpid());
  const std::unique_ptr<char[]> memory(new char[kBytes]);
  std::memset(memory.get(), 1, kBytes);
  const auto make = [&] {
    for (std::size_t at = 0; at < kBytes; at += 4 * kPage) ++memory[at];
    roam::checkpoint(folder);
  };
  for (int i = 0; i < 3; ++i) make();
  expect_eq(names_in(folder), std::string("000002 000003 "), "all share what 1 has");
  make();
  expect_eq(names_in(folder), std::string("000003 000004 "), "4 is full");
  make();
  expect_eq(names_in(folder), std::string("000003 000004 000005 "), "5 builds on 4");
  make();
  expect_eq(names_in(folder), std::string("000003 000005 000006 "), "so does 6");
  make();
  expect_eq(names_in(folder), std::string("000006 000007 "), "7 is full");
  const roam::SystemHeap process;
  fs::remove_all(folder);
}

}  // namespace
}  // namespace roam_test
