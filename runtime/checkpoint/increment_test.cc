// Pieces that build on earlier ones: what has changed is in them, and all of it comes back.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/os/file_calls.h"
#include "base/os/written_pages.h"
#include "base/ranges.h"
#include "base/test_bytes.h"
#include "runtime/checkpoint/test_job.h"

namespace roam::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPages = 700;  // of the block: several runs

// By what is known to have changed: by watching pages, by their checksums; and whether two of three
// pieces are compressed.
class IncrementTest : public testing::TestWithParam<std::tuple<bool, bool>> {
 protected:
  static bool watches() { return std::get<0>(GetParam()); }
  static bool compresses() { return std::get<1>(GetParam()); }
  IncrementTest() : block_(iso::pool(iso::Region::kBlocks).allocate(8 << 20)->range) {
    iso::arena().units().mark(block_, iso::UnitKind::kBlock);
    fill_bytes(block_.pointer(), kPages * kPageBytes, test_seed());
    // Some that can be compressed, among others.
    for (std::size_t i = 150; i < 600; i += 3) std::memset(page(i), static_cast<int>(i), 4000);
    std::string name = testing::TempDir() + "increment.XXXXXX";
    top_ = mkdtemp(name.data());
  }
  ~IncrementTest() override {
    iso::arena().units().unmark(block_);
    fs::remove_all(top_);
  }
  char* page(std::size_t i) const { return static_cast<char*>(block_.pointer()) + i * kPageBytes; }
  std::string folder(std::uint64_t number) const {
    char name[32];
    std::snprintf(name, sizeof name, "/%06llu", static_cast<unsigned long long>(number));
    return top_ + name;
  }
  // Checkpoint `number`, on the one before it if it is not a full one.
  void make(std::uint64_t number, bool full = false) {
    fs::create_directory(folder(number));
    std::vector<Range> clean, written;
    bool scanned = false;
    PieceWriter writer;
    writer.begin(folder(number) + "/piece-0", 0, 1, number);
    ASSERT_TRUE(writer.add_block(block_, block_.bytes));
    if (watches() && watched_.watches()) {
      ASSERT_TRUE(watched_.protect(&clean, &written));
      clean = without(clean, written);
      scanned = true;
    }
    if (!full) writer.build_on(known_, scanned ? &clean : nullptr, writer.links_of_files(known_));
    ASSERT_TRUE(writer.arrange());
    copied_ = writer.bytes_copied();
    if (compresses() && number % 3 != 0) {
      std::string why;
      ASSERT_TRUE(write_compressed(writer, folder(number) + "/piece-0",
                                   {.level = 1, .frame_bytes = 16 << 10}, &summary_, &known_, &why))
          << why;
    } else {
      ASSERT_TRUE(writer.copy() && writer.finish(&summary_, &known_)) << writer.error();
    }
    EXPECT_EQ(known_.compressed, summary_.stored != 0);
    EXPECT_EQ(summary_.stored != 0, compresses() && (number % 3 != 0 || !full));
    known_.folder = folder(number);
    EXPECT_EQ(writer.bytes(), kPages * kPageBytes);
    std::set<std::string> wanted{"piece-0"}, there;
    for (const BaseEntry& base : summary_.bases) wanted.insert(base_name(base));
    for (const auto& entry : fs::directory_iterator(folder(number)))
      there.insert(entry.path().filename());
    EXPECT_EQ(there, wanted);
  }
  // Whether it brings back what is in memory now.
  void expect_whole(std::uint64_t number) {
    const std::string now(page(0), kPages * kPageBytes);
    PieceReader reader;
    std::string why;
    ASSERT_TRUE(reader.open(folder(number) + "/piece-0", summary_, &why)) << why;
    ASSERT_TRUE(reader.verify(&why)) << why;
    std::memset(page(0), 0, kPages * kPageBytes);
    ASSERT_TRUE(reader.read_block(0, &why)) << why;
    for (std::size_t i = 0; i < kPages; ++i)
      ASSERT_EQ(std::memcmp(page(i), now.data() + i * kPageBytes, kPageBytes), 0) << i;
  }
  void watch() {
    if (watches() && !watched_.begin(iso::arena().whole(), false))
      GTEST_SKIP() << "this kernel does not tell which pages are written";
  }

  threads::TestThreads threads_;
  Range block_;
  std::string top_;
  os::WrittenPages watched_;
  KnownPages known_;
  PieceSummary summary_;
  std::uint64_t copied_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Kinds, IncrementTest, testing::Combine(testing::Bool(), testing::Bool()),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param) ? "Watched" : "Hashed") +
                                  (std::get<1>(info.param) ? "Compressed" : "");
                         });

TEST_P(IncrementTest, OnlyPagesThatChangedAreCopied) {
  watch();
  make(1, true);
  EXPECT_EQ(copied_, kPages * kPageBytes);
  for (const std::size_t i : {0u, 5u, 6u, 300u, 699u}) page(i)[9] ^= 1;
  make(2);
  EXPECT_EQ(copied_, 5 * kPageBytes);
  EXPECT_EQ(summary_.bases, (std::vector<BaseEntry>{{1, 0, 0}}));
  expect_whole(2);
}

TEST_P(IncrementTest, ALongChainOfRandomChanges) {
  watch();
  std::uint64_t random = test_seed();
  make(1, true);
  for (std::uint64_t number = 2; number < 14; ++number) {
    std::set<std::size_t> changed;
    const std::size_t count = next_random(&random) % 200;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = next_random(&random) % kPages;
      changed.insert(at);
      page(at)[next_random(&random) % kPageBytes] ^= static_cast<char>(1 + number);
    }
    const bool full = number == 9;
    make(number, full);
    if (HasFatalFailure()) return;
    if (!full && !(watches() && number == 8)) {  // 7 was read back into its place
      EXPECT_LE(copied_, changed.size() * kPageBytes);
    }
    EXPECT_LE(summary_.bases.size(), full ? 0 : number < 9 ? number - 1 : number - 9);
    if (number % 3 == 0) fs::remove_all(folder(number - 1));  // its files have other names too
    if (number % 3 == 0) known_.folder = folder(number);
    if (number == 7 || number == 13) expect_whole(number);
    if (HasFatalFailure()) return;
  }
}

TEST_P(IncrementTest, OnlyFilesThatHaveSomePageAreBases) {
  watch();
  make(1, true);
  for (std::size_t i = 0; i < kPages / 2; ++i) page(i)[9] ^= 1;
  make(2);
  EXPECT_EQ(summary_.bases, (std::vector<BaseEntry>{{1, 0, 0}}));
  make(3);  // nothing has changed
  EXPECT_EQ(copied_, 0u);
  EXPECT_EQ(summary_.bases, (std::vector<BaseEntry>{{2, 0, 0}, {1, 0, 0}}));
  for (std::size_t i = kPages / 2; i < kPages; ++i) page(i)[9] ^= 1;
  make(4);
  EXPECT_EQ(summary_.bases, (std::vector<BaseEntry>{{2, 0, 0}})) << "1 has none, nor has 3";
  for (const std::uint64_t older : {1, 2, 3}) fs::remove_all(folder(older));
  expect_whole(4);
  if (HasFatalFailure()) return;
  for (std::size_t i = 0; i < kPages; ++i) page(i)[9] ^= 1;
  make(5);
  EXPECT_EQ(copied_, kPages * kPageBytes);
  EXPECT_EQ(summary_.bases, std::vector<BaseEntry>{});
  page(7)[9] ^= 1;
  make(6);
  EXPECT_EQ(summary_.bases, (std::vector<BaseEntry>{{5, 0, 0}}));
  expect_whole(6);
}

TEST_P(IncrementTest, PagesThatAreThrownAwayComeBackAsZeros) {
  watch();
  make(1, true);
  const Range gone{block_.begin + 10 * kPageBytes, 4 * kPageBytes};
  iso::arena().discard(gone);
  EXPECT_EQ(page(10)[0], 0);  // it exists again
  EXPECT_EQ(page(13)[7], 0);
  fill_bytes(page(11), 2 * kPageBytes, test_seed() + 1);
  make(2);
  EXPECT_GE(copied_, 4 * kPageBytes);
  expect_whole(2);
}

TEST_P(IncrementTest, AFlippedBaseIsNamed) {
  watch();
  make(1, true);
  page(3)[0] ^= 1;
  make(2);
  const std::string base = folder(2) + "/base-000001-0";
  const int fd = os::open_file(base, O_RDWR);
  char byte = 0;
  ASSERT_EQ(pread(fd, &byte, 1, 100 * 4096), 1);
  byte = static_cast<char>(byte ^ 1);
  ASSERT_EQ(pwrite(fd, &byte, 1, 100 * 4096), 1);
  close(fd);
  PieceReader reader;
  std::string why;
  ASSERT_TRUE(reader.open(folder(2) + "/piece-0", summary_, &why)) << why;
  EXPECT_FALSE(reader.verify(&why));
  EXPECT_NE(why.find(base + (compresses() ? ", decompressed," : "") + " at byte "),
            std::string::npos)
      << why;
  fs::remove(base);
  PieceReader without_base;
  EXPECT_FALSE(without_base.open(folder(2) + "/piece-0", summary_, &why));
  EXPECT_NE(why.find(base), std::string::npos) << why;
}

TEST_P(IncrementTest, WithoutLinksAllPagesAreWritten) {
  watch();
  make(1, true);
  fs::create_directory(folder(2));
  PieceWriter writer;
  writer.begin(folder(2) + "/piece-0", 0, 1, 2);
  int asked = 0;
  writer.build_on(known_, nullptr, [&](const std::string&, const std::string&) {
    ++asked;
    return false;
  });
  ASSERT_TRUE(writer.add_block(block_, block_.bytes) && writer.copy() &&
              writer.finish(&summary_, &known_))
      << writer.error();
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(writer.bytes_copied(), kPages * kPageBytes);
  EXPECT_EQ(summary_.bases, std::vector<BaseEntry>{});
  expect_whole(2);
}

TEST_P(IncrementTest, OfAFileThatCannotBeLinkedPagesAreWritten) {
  watch();
  make(1, true);
  for (std::size_t i = 100; i < 110; ++i) page(i)[9] ^= 1;
  make(2);
  fs::create_directory(folder(3));
  PieceWriter writer;
  writer.begin(folder(3) + "/piece-0", 0, 1, 3);
  const PieceWriter::Linker links = writer.links_of_files(known_);
  writer.build_on(known_, nullptr, [&](const std::string& from, const std::string& to) {
    return from == "piece-0" && links(from, to);
  });
  ASSERT_TRUE(writer.add_block(block_, block_.bytes) && writer.copy() &&
              writer.finish(&summary_, &known_))
      << writer.error();
  EXPECT_EQ(writer.bytes_copied(), (kPages - 10) * kPageBytes);
  EXPECT_EQ(summary_.bases, (std::vector<BaseEntry>{{2, 0, 0}}));
  expect_whole(3);
}

TEST(KnownPages, PartsThatAreCleanAreFound) {
  KnownPages known;
  known.runs = {{{0x3000, 0x4000}, 1, 0x1000, 0}, {{0x9000, 0x2000}, 0, 0x8000, 4}};
  known.sort();
  const std::vector<Range> clean{{0x1000, 0x3000}, {0x5000, 0x5000}};
  Range part;
  const KnownPages::Run* run = known.first_in({0x1000, 0xf000}, clean, &part);
  ASSERT_NE(run, nullptr);
  EXPECT_EQ(part, (Range{0x3000, 0x1000}));
  run = known.first_in({0x4000, 0xc000}, clean, &part);
  ASSERT_NE(run, nullptr);
  EXPECT_EQ(part, (Range{0x5000, 0x2000}));
  run = known.first_in({0x7000, 0x9000}, clean, &part);
  ASSERT_NE(run, nullptr);
  EXPECT_EQ(part, (Range{0x9000, 0x1000}));
  EXPECT_EQ(run->offset, 0x8000u);
  EXPECT_EQ(known.first_in({0xa000, 0x6000}, clean, &part), nullptr);
  EXPECT_EQ(known.run_at(0xa000), run);
  EXPECT_EQ(known.run_at(0x8000), nullptr);
}

TEST(KnownPages, RangesWithoutOthers) {
  using Ranges = std::vector<Range>;
  const Ranges from{{0x1000, 0x4000}, {0x8000, 0x1000}, {0xa000, 0x2000}};
  EXPECT_EQ(without(from, {}), from);
  EXPECT_EQ(without(from, {{0, 0x10000}}), Ranges{});
  EXPECT_EQ(without(from, {{0x2000, 0x1000}, {0x2000, 0x2000}, {0xb000, 0x1000}}),
            (Ranges{{0x1000, 0x1000}, {0x4000, 0x1000}, {0x8000, 0x1000}, {0xa000, 0x1000}}));
  EXPECT_EQ(without({{0x1000, 0x1000}}, {{0, 0x1000}, {0x2000, 0x1000}}),
            (Ranges{{0x1000, 0x1000}}));
}

}  // namespace
}  // namespace roam::runtime
