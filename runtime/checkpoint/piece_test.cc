// Threads and blocks go through a piece: they are written, taken from here, read and landed.
#include "runtime/checkpoint/piece.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/test_bytes.h"
#include "runtime/checkpoint/aside.h"
#include "runtime/checkpoint/piece_file.h"
#include "runtime/image/test_image.h"
#include "threads/scheduler.h"

namespace roam::runtime {
namespace {

using threads::scheduler;

constexpr std::string_view kBytes("a\0b", 3);

Tcb* self() { return scheduler().current(); }
void hop() { scheduler().depart_current(threads::TestThreads::kRank + 1); }

enum class Way { kToFile, kFromMemory, kCompressed };

const char* name_of(Way way) {
  return way == Way::kToFile ? "" : way == Way::kFromMemory ? "FromMemory" : "Compressed";
}

// Whether the arena is shared, and how the piece comes to be a file.
class PieceTest : public testing::TestWithParam<std::tuple<bool, Way>> {
 protected:
  PieceTest() {
    std::string name = testing::TempDir() + "piece.XXXXXX";
    folder_ = mkdtemp(name.data());
    path_ = folder_ + "/" + piece_name(2);
    threads_.on_depart = [this](Tcb* t, int) { travelers_.push_back(t); };
    threads_.on_idle = [this] {
      if (travelers_.empty()) return false;
      go_through_a_file();
      return travelers_.empty();  // else it has failed
    };
  }
  ~PieceTest() override {
    unlink(path_.c_str());
    rmdir(folder_.c_str());
  }

  // A bit of the file; twice is as before.
  void flip() const {
    const int fd = open(path_.c_str(), O_RDWR);
    char byte = 0;
    EXPECT_EQ(pread(fd, &byte, 1, flip_at_), 1);
    byte = static_cast<char>(byte ^ 4);
    EXPECT_EQ(pwrite(fd, &byte, 1, flip_at_), 1);
    close(fd);
  }
  // All that have departed.
  void go_through_a_file() {
    ++trips_;
    unlink(path_.c_str());
    PieceWriter writer;
    writer.begin(path_, 2, 5, 42);
    std::vector<Image> images(travelers_.size());
    for (std::size_t i = 0; i < travelers_.size(); ++i) {
      Tcb* t = travelers_[i];
      close_for_image(t);
      plan_image(*t, ImageOf::kThread, &images[i]);
      ASSERT_TRUE(writer.add_image(head_of(*t, ImageOf::kThread, images[i]), images[i]));
      reopen(t);
    }
    ASSERT_TRUE(writer.add_state("some", kBytes));
    ASSERT_TRUE(writer.add_state("none", ""));
    const bool in_memory = std::get<1>(GetParam()) != Way::kToFile;
    const bool compressed = std::get<1>(GetParam()) == Way::kCompressed;
    // The second trip finds memory that exists, for a part of the piece.
    PieceFile piece_file;
    ASSERT_TRUE(writer.arrange());
    if (in_memory) {
      const int fd = aside_.take(writer.bytes_copied(), 1, 1);
      ASSERT_GE(fd, 0);
      const Aside::Mapped mapped = aside_.map(fd, writer.bytes_copied());
      ASSERT_NE(mapped.memory, nullptr);
      piece_file.begin(path_, fd, mapped.memory, mapped.bytes);
      if (compressed) piece_file.compress({.level = 1}, sizeof(PieceHead) + writer.bytes_copied());
      writer.put_into(fd, mapped, [&](std::uint64_t bytes) { piece_file.grew_to(bytes); });
    }
    ASSERT_TRUE(writer.copy()) << writer.error();
    piece_file.begin_to_compress();
    ASSERT_TRUE(writer.finish(&summary_)) << writer.error();
    std::string why;
    if (in_memory) {
      ASSERT_TRUE(piece_file.end(summary_.bytes, &why)) << why;
      EXPECT_EQ(piece_file.compressed_bytes() != 0, compressed);
      summary_.stored = piece_file.compressed_bytes();
      aside_.keep_only({});
    }
    for (const Image& image : images) give_up(image);

    struct stat file {};
    ASSERT_EQ(stat(path_.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777, 0600u);
    EXPECT_EQ(static_cast<std::uint64_t>(file.st_size), summary_.stored_bytes());

    PieceReader reader;
    ASSERT_TRUE(reader.open(path_, unpack_summary(pack_summary(summary_)), &why)) << why;
    ASSERT_TRUE(reader.verify(&why)) << why;
    EXPECT_EQ(reader.state("some"), kBytes);
    EXPECT_EQ(reader.state("none"), "");
    EXPECT_EQ(reader.state("other"), std::nullopt);
    ASSERT_EQ(reader.images(), travelers_.size());
    for (std::size_t i = 0; i < reader.images(); ++i) {
      EXPECT_EQ(reader.head(i).control, travelers_[i]);
      std::uint64_t id = 0;
      ASSERT_TRUE(
          reader.copy(i, reinterpret_cast<Address>(&travelers_[i]->id), &id, sizeof id, &why))
          << why;
      EXPECT_EQ(id, reader.head(i).id);
      ImageRefusal refusal;
      bool returns = true;
      ASSERT_TRUE(claim(reader.image(i), &returns, &refusal)) << refusal.why;
      if (flip_at_ != 0) {
        flip();
        ASSERT_FALSE(reader.read_pages(i, &why));
        EXPECT_NE(why.find(path_ + (compressed ? ", decompressed," : "") + " at byte "),
                  std::string::npos)
            << why;
        flip();
      }
      ASSERT_TRUE(reader.read_pages(i, &why)) << why;
      ASSERT_TRUE(check_bytes(reader.head(i), reader.image(i), &refusal)) << refusal.why;
    }
    travelers_.clear();
    for (std::size_t i = 0; i < reader.images(); ++i) {
      scheduler().resume_arrived(
          land(reader.head(i), reader.image(i), threads::TestThreads::kRank));
    }
  }

  threads::TestThreads threads_{std::get<0>(GetParam())};
  std::string folder_, path_;
  Aside aside_;
  std::vector<Tcb*> travelers_;
  PieceSummary summary_;
  int trips_ = 0;
  off_t flip_at_ = 0;  // before pages are read into their place
};
INSTANTIATE_TEST_SUITE_P(Kinds, PieceTest,
                         testing::Combine(testing::Bool(),
                                          testing::Values(Way::kToFile, Way::kFromMemory,
                                                          Way::kCompressed)),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param) ? "Shared" : "Private") +
                                  name_of(std::get<1>(info.param));
                         });

TEST_P(PieceTest, ThreadsGoOnFromAFile) {
  const std::uint64_t seed = test_seed();
  for (int n = 0; n < 300; ++n) {
    threads_.spawn([&, n] {
      const std::uint64_t own = seed + static_cast<std::uint64_t>(n);
      char on_stack[5000];
      fill_bytes(on_stack, sizeof on_stack, own);
      constexpr std::size_t kSizes[] = {16, 1000, 20'000, 100'000};
      void* blocks[std::size(kSizes)];
      for (std::size_t s = 0; s < std::size(kSizes); ++s) {
        blocks[s] = self()->heap.allocate(kSizes[s]);
        fill_bytes(blocks[s], kSizes[s], own + s);
      }
      for (int trip = 0; trip < 2; ++trip) {
        hop();
        EXPECT_TRUE(holds_bytes(on_stack, sizeof on_stack, own));
        for (std::size_t s = 0; s < std::size(kSizes); ++s)
          EXPECT_TRUE(holds_bytes(blocks[s], kSizes[s], own + s));
      }
      for (void* block : blocks) self()->heap.free(block);
    });
  }
  threads_.run();
  EXPECT_EQ(trips_, 2);
}

TEST_P(PieceTest, ALargeBlockGoesWithThePagesThatExist) {
  const std::uint64_t seed = test_seed();
  flip_at_ = 3 << 20;
  constexpr std::size_t kLarge = 40 << 20, kTouched = 5 << 20, kLate = 30 << 20;
  threads_.spawn([&] {
    char* block = static_cast<char*>(self()->heap.allocate(kLarge));
    fill_bytes(block, kTouched, seed);
    block[kLate] = 'x';
    hop();
    EXPECT_TRUE(holds_bytes(block, kTouched, seed));
    EXPECT_EQ(block[kLate], 'x');
    EXPECT_EQ(block[kLate + 3 * kPageBytes], 0);
    self()->heap.free(block);
  });
  threads_.run();
  EXPECT_EQ(trips_, 1);
  EXPECT_LT(summary_.bytes, kTouched + (4 << 20));
}

}  // namespace
}  // namespace roam::runtime
