// Bytes of a piece go through a compressed file, whatever they are, and come back from any place.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/os/file_calls.h"
#include "base/test_bytes.h"
#include "runtime/checkpoint/frame_reader.h"
#include "runtime/checkpoint/frame_writer.h"
#include "runtime/checkpoint/page_buffer.h"

namespace roam::runtime {
namespace {

class FramesTest : public testing::Test {
 protected:
  FramesTest() {
    std::string name = testing::TempDir() + "frames.XXXXXX";
    close(mkstemp(name.data()));
    path_ = name;
  }
  ~FramesTest() override { unlink(path_.c_str()); }

  // A piece of so many pages, the last `index` of which are its index.
  void make(std::size_t pages, std::size_t index) {
    bytes_ = pages * kPageBytes;
    index_offset_ = bytes_ - index * kPageBytes;
    piece_.make(bytes_);
  }
  char* page(std::size_t i) const { return piece_.data() + i * kPageBytes; }
  void write(const Compression& how) {
    const int fd = os::open_file(path_, O_RDWR | O_TRUNC);
    FrameWriter out(fd, os::set_direct(fd, true) == 0, how, index_offset_);
    for (std::uint64_t at = 0; at < index_offset_; at += how.frame_bytes) {
      const std::size_t part = std::min<std::uint64_t>(how.frame_bytes, index_offset_ - at);
      ASSERT_TRUE(out.add(piece_.data() + at, part));
    }
    ASSERT_TRUE(out.add_index(piece_.data() + index_offset_, bytes_ - index_offset_));
    ASSERT_TRUE(out.finish(bytes_));
    close(fd);
    struct stat file {};
    ASSERT_EQ(stat(path_.c_str(), &file), 0);
    EXPECT_EQ(static_cast<std::uint64_t>(file.st_size), out.bytes());
    EXPECT_EQ(out.bytes() % kPageBytes, 0u);
    stored_ = out.bytes();
  }
  void open(PieceSource& source) {
    ASSERT_TRUE(source.open(os::open_file(path_, O_RDONLY), path_, false, &why_)) << why_;
    ASSERT_TRUE(source.compressed());
    ASSERT_TRUE(source.read_table(&why_)) << why_;
    EXPECT_EQ(source.bytes(), bytes_);
    EXPECT_EQ(source.table().index_offset(), index_offset_);
  }
  std::size_t compressed_frames() {
    PieceSource source;
    open(source);
    std::size_t count = 0;
    for (std::size_t n = 0; n < source.table().count(); ++n)
      count += source.table().frame(n).method == FrameMethod::kZstd;
    return count;
  }
  // Ranges of whole pages, in parts.
  void expect_same(int rounds) {
    PieceSource source;
    open(source);
    FrameReader reader;
    PageBuffer to;
    to.make(bytes_);
    std::uint64_t random = test_seed();
    for (int round = 0; round < rounds && !HasFailure(); ++round) {
      const std::size_t pages = bytes_ / kPageBytes;
      const std::size_t at = round == 0 ? 0 : next_random(&random) % pages;
      const std::size_t most = round % 3 == 1 ? 3 : pages - at;
      const std::size_t count =
          round == 0 ? pages : 1 + next_random(&random) % std::min(most, pages - at);
      const std::size_t first = next_random(&random) % count;
      const iovec parts[] = {{to.data(), first * kPageBytes},
                             {to.data() + first * kPageBytes, (count - first) * kPageBytes}};
      std::memset(to.data(), 0xee, count * kPageBytes);
      ASSERT_TRUE(reader.read(source, at * kPageBytes, parts, &why_)) << why_;
      ASSERT_EQ(std::memcmp(to.data(), page(at), count * kPageBytes), 0) << at << " " << count;
    }
    const iovec behind{to.data(), kPageBytes};
    EXPECT_FALSE(reader.read(source, bytes_, {&behind, 1}, &why_));
    EXPECT_FALSE(reader.read(source, UINT64_MAX - 100, {&behind, 1}, &why_));
  }

  std::string path_, why_;
  std::uint64_t bytes_ = 0, index_offset_ = 0, stored_ = 0;
  PageBuffer piece_;
};

TEST_F(FramesTest, BytesOfAllKindsComeBack) {
  std::uint64_t random = test_seed();
  for (const std::size_t pages : {2u, 3u, 17u, 64u, 65u, 700u, 3000u}) {
    for (const std::uint32_t frame : {4u << 10, 16u << 10, 256u << 10, 1u << 20}) {
      SCOPED_TRACE(testing::Message() << pages << " pages, frames of " << frame);
      make(pages, 1 + next_random(&random) % std::min<std::size_t>(pages - 1, 5));
      for (std::size_t i = 0; i < pages; ++i) {
        switch (next_random(&random) % 4 + (i / 40 % 2)) {
          case 0:
            std::memset(page(i), 0, kPageBytes);
            break;
          case 1:
            std::memset(page(i), static_cast<int>(i), kPageBytes - 100);
            fill_bytes(page(i) + kPageBytes - 100, 100, i);
            break;
          default:
            fill_bytes(page(i), kPageBytes, i);
        }
      }
      for (const int level : {1, -7, 3}) {
        write({.level = level, .frame_bytes = frame});
        expect_same(40);
        if (HasFailure()) return;
      }
    }
  }
}

TEST_F(FramesTest, ZerosBecomeShort) {
  make(4096, 1);
  std::memset(piece_.data(), 0, bytes_);
  write({.level = 1});
  EXPECT_LT(stored_, 6 * kPageBytes);
  EXPECT_EQ(compressed_frames(), 64u);
  expect_same(20);
}

// Head, table and no more; and one frame of sixteen is tried, so that what follows is found.
TEST_F(FramesTest, WhatCannotBeCompressedIsStoredAsItIs) {
  make(4096 + 64 * 20 + 1, 1);
  fill_bytes(piece_.data(), bytes_, test_seed());
  write({.level = 1});
  EXPECT_EQ(compressed_frames(), 0u);
  EXPECT_EQ(stored_, bytes_ + 2 * kPageBytes);
  expect_same(20);
  std::memset(page(4096), 1, 64 * 20 * kPageBytes);
  write({.level = 1});
  EXPECT_GE(compressed_frames(), 4u);
  EXPECT_LE(compressed_frames(), 20u);
  expect_same(20);
}

// Random doubles between 0 and 1 become shorter by a sixteenth, which takes longer than to write
// it.
TEST_F(FramesTest, LittleGainIsNotWorthIt) {
  make(1025, 1);
  std::uint64_t random = test_seed();
  for (std::size_t at = 0; at < bytes_; at += sizeof(double)) {
    const double number = static_cast<double>(next_random(&random) >> 11) * 0x1p-53;
    std::memcpy(piece_.data() + at, &number, sizeof number);
  }
  write({.level = 3});
  EXPECT_EQ(compressed_frames(), 0u);
  expect_same(5);
}

}  // namespace
}  // namespace roam::runtime
