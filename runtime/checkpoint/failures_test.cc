// Every system call on the way to a checkpoint, and on the way back, fails once.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include "base/os/file_calls.h"
#include "runtime/checkpoint/test_job.h"

namespace roam::runtime {
namespace {

namespace fs = std::filesystem;

// Whether the n-th call, or a half of it, fails while `body` runs; false once it is not reached.
template <class Body>
bool with_failure(int n, bool half, Body body) {
  os::fail_by_half = half;
  os::fail_file_call_after = n;
  body();
  const bool reached = os::fail_file_call_after <= 0;
  os::fail_file_call_after = 0;
  os::fail_by_half = false;
  return reached;
}

std::vector<std::string> parts_in(const std::string& dir) {
  std::vector<std::string> parts;
  for (const auto& entry : fs::directory_iterator(dir)) {
    if (entry.path().extension() == ".part") parts.push_back(entry.path().filename());
  }
  return parts;
}

// A call fails, or does half of what it should; of a piece that is a file, or is in memory first
// and compressed.
class FailuresTest : public testing::TestWithParam<std::tuple<bool, bool>> {
 protected:
  FailuresTest() {
    if (std::get<1>(GetParam())) job_.compression = {.level = 1, .frame_bytes = kPageBytes};
  }
  static bool half() { return std::get<0>(GetParam()); }
  TestJob job_;
  std::string why_, foreign_;
};
INSTANTIATE_TEST_SUITE_P(Kinds, FailuresTest, testing::Combine(testing::Bool(), testing::Bool()),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param) ? "Half" : "Whole") +
                                  (std::get<1>(info.param) ? "Compressed" : "");
                         });

TEST_P(FailuresTest, TheEarlierCheckpointStaysWhateverCallFails) {
  job_.while_suspended([&] {
    ASSERT_TRUE(job_.make_checkpoint(&why_)) << why_;
    int refused = 0, made = 0;
    for (int n = 1;; ++n) {
      SCOPED_TRACE(testing::Message() << "call " << n << " fails");
      const std::string earlier = complete_ones(job_.dir(), &why_).front();
      bool good = false;
      const bool reached = with_failure(n, half(), [&] { good = job_.make_checkpoint(&why_); });
      EXPECT_TRUE(good || !why_.empty());
      EXPECT_EQ(parts_in(job_.dir()), std::vector<std::string>());
      EXPECT_TRUE(TestJob::is_whole(earlier, &why_)) << why_;
      const std::string newest = complete_ones(job_.dir(), &why_).front();
      EXPECT_EQ(newest != earlier, good);
      EXPECT_TRUE(TestJob::is_whole(newest, &why_)) << why_;
      good ? ++made : ++refused;
      if (HasFailure() || !reached) break;
    }
    EXPECT_GT(refused, half() ? 1 : 12);
    EXPECT_GT(made, half() ? 3 : 1) << "a half of a write is gone on with";
  });
}

TEST_P(FailuresTest, TheFirstOneComesWholeOrNotAtAll) {
  job_.while_suspended([&] {
    for (int n = 1;; ++n) {
      SCOPED_TRACE(testing::Message() << "call " << n << " fails");
      fs::remove_all(job_.dir());
      bool good = false;
      const bool reached = with_failure(n, half(), [&] { good = job_.make_checkpoint(&why_); });
      EXPECT_TRUE(good || !why_.empty());
      if (fs::exists(job_.dir())) {
        EXPECT_EQ(parts_in(job_.dir()), std::vector<std::string>());
      }
      const std::vector<std::string> all = complete_ones(job_.dir(), &why_);
      EXPECT_EQ(all.size(), good ? 1u : 0u);
      if (good) {
        EXPECT_TRUE(TestJob::is_whole(all.front(), &why_)) << why_;
      }
      if (HasFailure() || !reached) break;
    }
  });
}

TEST_P(FailuresTest, WhatIsOlderGoesAtTheNextTimeIfItCannotNow) {
  job_.while_suspended([&] {
    for (int n = 1;; ++n) {
      SCOPED_TRACE(testing::Message() << "call " << n << " fails");
      ASSERT_TRUE(job_.make_checkpoint(&why_)) << why_;
      ASSERT_TRUE(job_.make_checkpoint(&why_)) << why_;
      const std::string newest = complete_ones(job_.dir(), &why_).front();
      bool good = false;
      const bool reached =
          with_failure(n, half(), [&] { good = keep_newest(job_.dir(), 1, {}, &foreign_, &why_); });
      EXPECT_TRUE(good || !why_.empty());
      for (const std::string& one : complete_ones(job_.dir(), &why_))
        EXPECT_TRUE(TestJob::is_whole(one, &why_)) << why_;
      ASSERT_TRUE(keep_newest(job_.dir(), 1, {}, &foreign_, &why_)) << why_;
      NewCheckpoint next;
      ASSERT_TRUE(next.begin(job_.dir(), &why_)) << why_;
      next.give_up();
      EXPECT_EQ(parts_in(job_.dir()), std::vector<std::string>());
      EXPECT_EQ(complete_ones(job_.dir(), &why_), std::vector<std::string>{newest});
      if (HasFailure() || !reached) break;
    }
  });
}

TEST_P(FailuresTest, ReadingIsRefusedOrRight) {
  job_.while_suspended([&] {
    ASSERT_TRUE(job_.make_checkpoint(&why_)) << why_;
    const std::string one = complete_ones(job_.dir(), &why_).front();
    int refused = 0;
    for (int n = 1;; ++n) {
      SCOPED_TRACE(testing::Message() << "call " << n << " fails");
      bool good = false;
      why_.clear();
      const bool reached = with_failure(n, half(), [&] { good = TestJob::is_whole(one, &why_); });
      EXPECT_TRUE(good || why_.find(one) != std::string::npos) << why_;
      refused += !good;
      if (HasFailure() || !reached) break;
    }
    EXPECT_EQ(refused > 3, !half()) << "a half of a read is gone on with";
  });
}

// A disk that has a bad sector has it tomorrow too; what there is no room for may be whole.
TEST_P(FailuresTest, WhatTheProcessLacksIsToldFromWhatIsWrong) {
  job_.while_suspended([&] {
    ASSERT_TRUE(job_.make_checkpoint(&why_)) << why_;
    const std::string one = complete_ones(job_.dir(), &why_).front();
    Manifest manifest;
    ASSERT_TRUE(manifest.read(one, &why_)) << why_;
    const auto lacked = [&](int error) {
      PieceReader reader;
      const auto fails = [error](const std::string&) {
        errno = error;
        return -1;
      };
      EXPECT_FALSE(reader.open(fails, manifest.path_of(0), manifest.pieces[0], &why_));
      EXPECT_NE(why_.find(std::strerror(error)), std::string::npos) << why_;
      return reader.lacked();
    };
    for (const int error : {EMFILE, ENFILE, ENOMEM, ESTALE}) EXPECT_TRUE(lacked(error)) << error;
    for (const int error : {ENOENT, EACCES, ELOOP, EIO}) EXPECT_FALSE(lacked(error)) << error;
    PieceReader whole;
    ASSERT_TRUE(whole.open(manifest.path_of(0), manifest.pieces[0], &why_)) << why_;
    EXPECT_FALSE(whole.lacked());
    if (!std::get<1>(GetParam())) return;
    PieceReader none;
    fail_compression = 3;
    EXPECT_FALSE(none.open(manifest.path_of(0), manifest.pieces[0], &why_));
    fail_compression = 0;
    EXPECT_TRUE(none.lacked()) << why_;
  });
}

// What there is no memory for is written as it is.
TEST_P(FailuresTest, WithoutMemoryForACompressorTheCheckpointIsMade) {
  if (!std::get<1>(GetParam())) GTEST_SKIP() << "nothing is compressed";
  job_.while_suspended([&] {
    ASSERT_TRUE(job_.make_checkpoint(&why_)) << why_;
    for (const int what : {1, 2}) {
      Manifest manifest;
      fail_compression = what;
      EXPECT_TRUE(job_.make_checkpoint(&why_)) << why_;
      fail_compression = 0;
      const std::string newest = complete_ones(job_.dir(), &why_).front();
      EXPECT_TRUE(TestJob::is_whole(newest, &why_)) << why_;
      ASSERT_TRUE(manifest.read(newest, &why_)) << why_;
      EXPECT_EQ(manifest.compressed(), what == 2);
      EXPECT_GE(manifest.stored_bytes(), manifest.bytes);
    }
  });
}

}  // namespace
}  // namespace roam::runtime
