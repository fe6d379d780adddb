#ifndef ROAM_RUNTIME_KEEPER_TEST_KEEPER_H_
#define ROAM_RUNTIME_KEEPER_TEST_KEEPER_H_

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/keeper/keeper_client.h"
#include "runtime/keeper/keeper_wire.h"

// For tests: keepers as processes.
namespace roam::runtime {
inline std::string text_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream all;
  all << file.rdbuf();
  return all.str();
}

inline std::string contents(int fd) {
  std::string all;
  EXPECT_TRUE(text_of(fd, &all)) << strerror(errno);
  return all;
}

inline bool soon(const std::function<bool()>& is_so) {
  for (int i = 0; i < 3000; ++i) {
    if (is_so()) return true;
    usleep(10'000);
  }
  return false;
}

// A folder of checkpoints of its own, whose keepers end with the test.
class Keeper : public testing::Test {
 protected:
  Keeper() {
    const char* tmp = getenv("TEST_TMPDIR");
    folder_ = std::string(tmp != nullptr ? tmp : "/tmp") + "/job." + std::to_string(getpid()) +
              "." + testing::UnitTest::GetInstance()->current_test_info()->name();
    program_ = std::filesystem::absolute(getenv("KEEPER"));
  }

  void TearDown() override {
    for (const pid_t one : processes()) {
      kill(one, SIGCONT);
      kill(one, SIGKILL);
    }
    EXPECT_TRUE(soon([this] { return processes().empty(); }));
  }

  bool start(KeeperClient& client, int node = 0, int hold_s = 600) {
    client.set_patience_ms(60'000);
    const bool good = client.connect_or_start(folder_, node, program_, hold_s);
    EXPECT_TRUE(good) << client.error();
    return good;
  }

  bool put(KeeperClient& client, std::uint64_t number, const std::string& name,
           const std::string& bytes) {
    const OwnedFd memory(memory_of(bytes));
    return client.put(number, name, memory.get());
  }

  std::string get(KeeperClient& client, std::uint64_t number, const std::string& name) {
    const OwnedFd memory(client.get(number, name));
    return memory.get() < 0 ? "none: " + client.error() : contents(memory.get());
  }

  // Keepers of this test's folder, which are in no list of children.
  std::vector<pid_t> processes() const {
    std::vector<pid_t> all;
    for (const auto& one : std::filesystem::directory_iterator("/proc")) {
      const std::string pid = one.path().filename();
      if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
      const std::string words = text_in("/proc/" + pid + "/cmdline");
      if (words.find("roam-keeper") != std::string::npos &&
          words.find(folder_ + '\0') != std::string::npos)
        all.push_back(std::stoi(pid));
    }
    return all;
  }
  // When those that started it have gone.
  pid_t process() const {
    EXPECT_TRUE(soon([this] { return processes().size() == 1; }));
    const std::vector<pid_t> all = processes();
    return all.empty() ? 0 : all.front();
  }

  std::string folder_, program_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_KEEPER_TEST_KEEPER_H_
