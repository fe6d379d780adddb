// A kernel thread of the program writes into memory of threads while a piece is made of it.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "isomalloc/arena.h"
#include "isomalloc/range_pool.h"
#include "runtime/checkpoint/test_job.h"

namespace roam::runtime {
namespace {

constexpr std::size_t kBytes = 24 << 20;

// Adds to a word of each page, again and again.
class Counting {
 public:
  explicit Counting(Range block) : thread_([this, block] { count(block); }) {
    while (rounds_ == 0) std::this_thread::yield();
  }
  ~Counting() {
    ends_ = true;
    thread_.join();
  }

 private:
  void count(Range block) {
    while (!ends_) {
      for (Address at = block.begin; at < block.end(); at += kPageBytes)
        __atomic_add_fetch(reinterpret_cast<std::uint64_t*>(at), 1, __ATOMIC_RELAXED);
      ++rounds_;
    }
  }
  std::atomic<bool> ends_ = false;
  std::atomic<int> rounds_ = 0;
  std::thread thread_;
};

// Whether it is a file at once, or is copied into memory first.
class BesideTest : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Kinds, BesideTest, testing::Bool(), [](const auto& info) {
  return std::string(info.param ? "FromMemory" : "ToFile");
});

TEST_P(BesideTest, WhatIsWrittenMeanwhileIsInThePieceOrNot) {
  threads::TestThreads threads;
  const Range block = iso::pool(iso::Region::kBlocks).allocate(kBytes)->range;
  iso::arena().units().mark(block, iso::UnitKind::kBlock);
  std::string folder = testing::TempDir() + "beside.XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/" + piece_name(0);
  {
    const Counting counting(block);
    for (int round = 0; round < 4; ++round) {
      std::filesystem::remove(path);
      PieceWriter writer;
      PieceSummary summary;
      std::string why;
      writer.begin(path, 0, 1, 1);
      ASSERT_TRUE(writer.add_block(block, block.bytes));
      if (GetParam()) {
        ASSERT_TRUE(write_compressed(writer, path, {}, &summary, nullptr, &why)) << why;
      } else {
        ASSERT_TRUE(writer.copy() && writer.finish(&summary)) << writer.error();
      }
      PieceReader reader;
      ASSERT_TRUE(reader.open(path, summary, &why)) << why;
      ASSERT_TRUE(reader.verify(&why)) << "round " << round << ": " << why;
      EXPECT_EQ(writer.bytes_copied(), block.bytes);
    }
  }
  iso::arena().units().unmark(block);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace roam::runtime
