#include "base/job_record.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/check.h"
#include "base/test_child.h"

namespace roam {
namespace {

constexpr const char* kRole = "JOB_RECORD_TEST_ROLE";

// What a process does that has ROAM_RECORD in its environment, from the start on.
void play(const std::string& role) {
  namespace r = job_record;
  if (!r::wanted()) _exit(9);
  if (role == "error") r::fails(3, "a \"quoted\"\n\\ text");
  if (role == "long error") {
    // Each takes six characters.
    fatal_hooks.describe = [](char* buffer, std::size_t bytes) {
      std::snprintf(buffer, bytes, "%s", std::string(bytes, '\x01').c_str());
    };
    r::fails(3, std::string(10'000, '\x02').c_str());
  }
  if (role == "long error in letters of two bytes") {
    std::string text = "\xe9 ";  // of another character set
    while (text.size() < 10'000) text += "\u00e9";
    r::fails(3, text.c_str());
  }
  if (role == "noted") {
    r::note("said before");
    r::fails(1);
  }
  if (role == "good then error") {
    r::began(0, 4);
    r::exits(0);
    r::fails(2, "after all");
  }
  if (role == "error then good") {
    r::began(0, 4);
    r::fails(2, "first");
    r::exits(0);
  }
  if (role == "good of rank 1") {
    r::began(1, 4);
    r::exits(0);
  }
  if (role == "early exit") r::exits(6);
  if (role == "exit in the midst") {
    on_exit([](int status, void*) { r::exits_early(status, nullptr); }, nullptr);
    std::exit(5);
  }
  if (role == "exit in a handler") {
    on_exit([](int status, void*) { r::exits(status); }, nullptr);
    std::signal(SIGUSR1, [](int) { std::exit(6); });
    raise(SIGUSR1);
  }
  if (role == "lost") r::loses("a rank does not answer");
  if (role == "child" && fork() == 0) {
    r::fails(1, "not of the job");
    _exit(0);
  }
  if (role == "crash" || role == "abort") {
    struct sigaction action {};
    action.sa_flags = SA_SIGINFO | SA_RESETHAND;
    action.sa_sigaction = [](int, siginfo_t* info, void* context) { r::crashes(*info, context); };
    const int signal = role == "crash" ? SIGSEGV : SIGABRT;
    sigaction(signal, &action, nullptr);
    if (role == "abort") std::abort();
    // Not null: a store there is ended by UndefinedBehaviorSanitizer, and not by a signal.
    volatile int* volatile nowhere = reinterpret_cast<volatile int*>(4096);
    *nowhere = 1;
  }
}

class JobRecordTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "/job_record_test." + std::to_string(getpid());
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // What is in the record after a process has played that role.
  std::string after(const char* role, const std::string& name = "record") {
    const pid_t child = fork();
    if (child == 0) {
      if (chdir(folder_.c_str()) != 0) _exit(8);
      setenv("ROAM_RECORD", name.c_str(), 1);
      setenv(kRole, role, 1);
      execl("/proc/self/exe", "job_record_test", nullptr);
      _exit(7);
    }
    EXPECT_EQ(waitpid(child, &status_, 0), child);
    return text(folder_ + "/record");
  }
  static std::string text(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string folder_;
  int status_ = 0;
};

bool begins(const std::string& text, const std::string& with) { return text.rfind(with, 0) == 0; }

TEST_F(JobRecordTest, AnErrorIsALineOfJson) {
  const std::string line = after("error");
  EXPECT_TRUE(begins(line,
                     "{\"kind\": \"error\", \"code\": 3, \"where\": \"\", "
                     "\"text\": \"a \\\"quoted\\\"\\u000a\\\\ text\", \"process\": "))
      << line;
  EXPECT_EQ(line.back(), '\n');
  EXPECT_NE(after("noted", folder_ + "/record").find("quoted"), std::string::npos)
      << "a record that is there is kept";
  for (const auto& file : std::filesystem::directory_iterator(folder_))
    EXPECT_EQ(file.path().filename(), "record");
}

TEST_F(JobRecordTest, ALongErrorIsCutAndTheLineIsWhole) {
  const std::string line = after("long error");
  EXPECT_TRUE(begins(line, "{\"kind\": \"error\", \"code\": 3, \"where\": \"\\u0001")) << line;
  EXPECT_LE(line.size(), 4096u);
  EXPECT_NE(line.find("\\u0002\", \"process\": "), std::string::npos) << line;
  EXPECT_TRUE(line.ends_with("}\n")) << line;
}

TEST_F(JobRecordTest, WhatIsNoWholeCharacterIsShownAsSuch) {
  const std::string line = after("long error in letters of two bytes");
  const std::size_t begin = line.find("\"text\": \"");
  ASSERT_NE(begin, std::string::npos) << line;
  const std::string text = line.substr(begin + 9);
  std::size_t at = 2;
  while (text.compare(at, 2, "\u00e9") == 0) at += 2;
  EXPECT_TRUE(begins(text, "? ")) << "it is not UTF-8";
  EXPECT_GT(at, 1000u);
  EXPECT_TRUE(begins(text.substr(at), "?\", \"process\": ")) << "half a character: " << line;
}

TEST_F(JobRecordTest, WhatWasSaidLastIsTheReason) {
  EXPECT_NE(after("noted", folder_ + "/record").find("\"said before\""), std::string::npos);
}

TEST_F(JobRecordTest, OnlyAGoodEndGivesWay) {
  EXPECT_NE(after("good then error").find("after all"), std::string::npos);
  EXPECT_EQ(text(folder_ + "/record.began"), "4\n");
  std::filesystem::remove(folder_ + "/record");
  EXPECT_NE(after("error then good").find("first"), std::string::npos);
}

TEST_F(JobRecordTest, RankZeroSpeaksForTheJob) {
  EXPECT_EQ(after("good of rank 1"), "");
  EXPECT_TRUE(begins(after("early exit"), "{\"kind\": \"exit\", \"code\": 6,"));
}

TEST_F(JobRecordTest, WhoCalledExitIsTold) {
  EXPECT_TRUE(begins(after("exit in the midst"), "{\"kind\": \"exit\", \"code\": 5,"));
  std::filesystem::remove(folder_ + "/record");
  EXPECT_TRUE(begins(after("lost"), "{\"kind\": \"lost\", \"code\": 1,"));
}

// In a file system of two pages, of which the room has one.
TEST_F(JobRecordTest, OnAFullDiskItIsWhereRoomWasLeft) {
  int status = 0;
  const std::string said = written_by_child(
      [&](int fd) {
        if (unshare(CLONE_NEWNS) != 0 ||
            mount("none", "/", nullptr, MS_REC | MS_PRIVATE, "") != 0 ||
            mount("none", folder_.c_str(), "tmpfs", 0, "size=8k") != 0) {
          dprintf(fd, "no file system");
          return;
        }
        const std::string page(4096, 'x');
        std::ofstream(folder_ + "/record.room") << page;
        std::ofstream(folder_ + "/other") << page;
        const std::string line = after("error");
        int files = 0;
        for (const auto& file : std::filesystem::directory_iterator(folder_))
          files += file.path().filename() != "other";
        dprintf(fd, "%d file: %s", files, line.c_str());
      },
      &status);
  if (said == "no file system") GTEST_SKIP() << "only root can make one";
  EXPECT_TRUE(begins(said, "1 file: {\"kind\": \"error\", \"code\": 3,")) << said;
  EXPECT_TRUE(said.ends_with("}\n")) << said;
}

TEST_F(JobRecordTest, WhetherAHandlerCalledExitIsTold) {
  EXPECT_NE(after("exit in a handler").find("\"code\": 6, \"where\": \"\", \"handler\": 1"),
            std::string::npos)
      << after("exit in a handler");
  std::filesystem::remove(folder_ + "/record");
  EXPECT_NE(after("exit in the midst").find("\"handler\": 0"), std::string::npos);
}

TEST_F(JobRecordTest, AChildIsNotTheJob) { EXPECT_EQ(after("child"), ""); }

TEST_F(JobRecordTest, ACrashHasItsPlaceWhichIsTheSameAgain) {
  const std::string line = after("crash");
  EXPECT_TRUE(begins(line, "{\"kind\": \"crash\", \"code\": 139,")) << line;
  EXPECT_NE(line.find("\"signal\": 11, \"sender\": 0, \"place\": \"job_record_test+0x"),
            std::string::npos)
      << line;
  EXPECT_TRUE(WIFSIGNALED(status_));
  std::filesystem::remove(folder_ + "/record");
  const std::string again = after("crash");
  const auto place = [](const std::string& s) { return s.substr(0, s.find("\"text\"")); };
  EXPECT_EQ(place(again), place(line));
}

TEST_F(JobRecordTest, AnAbortIsAtWhoCalledIt) {
  const std::string line = after("abort");
  EXPECT_NE(line.find("\"signal\": 6, \"sender\": 0, \"place\": \"job_record_test+0x"),
            std::string::npos)
      << line;
}

}  // namespace
}  // namespace roam

int main(int argc, char** argv) {
  if (const char* role = std::getenv(roam::kRole); role != nullptr) {
    roam::play(role);
    _exit(0);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
