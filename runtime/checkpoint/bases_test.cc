// Pieces that build on earlier ones, with what can be wrong in that: in what the index and the
// manifest say of bases, and in the files that bases are. All of it is refused by name.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/test_bytes.h"
#include "isomalloc/arena.h"
#include "isomalloc/range_pool.h"
#include "runtime/checkpoint/folder.h"
#include "runtime/checkpoint/hash.h"
#include "runtime/checkpoint/piece.h"
#include "threads/test_threads.h"

namespace roam::runtime {
namespace {

namespace fs = std::filesystem;

constexpr int kRanks = 2;
constexpr std::size_t kPages = 300;  // of each rank's block: two runs where nothing has changed

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
// Another file by that name: bases are links.
void put(const std::string& path, const std::string& contents) {
  fs::remove(path);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << contents;
}

// Checkpoints 1 to 3 of two ranks, each on those before it, in DIR/00000N.
class BasesTest : public testing::Test {
 protected:
  BasesTest() {
    const bool memory = access("/dev/shm", W_OK) == 0;
    std::string name = (memory ? "/dev/shm/" : testing::TempDir()) + "roam-bases.XXXXXX";
    dir_ = mkdtemp(name.data());
    for (int r = 0; r < kRanks; ++r) {
      block_[r] = iso::pool(iso::Region::kBlocks).allocate(2 << 20)->range;
      iso::arena().units().mark(block_[r], iso::UnitKind::kBlock);
      fill_bytes(block_[r].pointer(), kPages * kPageBytes, test_seed() + r);
    }
  }
  ~BasesTest() override {
    for (const Range& block : block_) iso::arena().units().unmark(block);
    fs::remove_all(dir_);
  }
  void SetUp() override {
    for (int n = 1; n <= 3; ++n) {
      for (const std::size_t at : changed(n)) page(0, at)[5] ^= 1, page(1, at)[6] ^= 1;
      make();
      ASSERT_FALSE(HasFatalFailure());
      ASSERT_TRUE(whole(folder(n), &why_)) << why_;
    }
    right_ = manifest_of(3);
    ASSERT_EQ(right_.pieces[0].bases, (std::vector<BaseEntry>{{1, 0, 0}, {2, 0, 0}}));
    ASSERT_EQ(right_.pieces[1].bases, (std::vector<BaseEntry>{{1, 1, 0}, {2, 1, 0}}));
  }
  static std::vector<std::size_t> changed(int number) {
    if (number == 1) return {};
    return number == 2 ? std::vector<std::size_t>{3, 4, 5, 200} : std::vector<std::size_t>{4, 299};
  }
  char* page(int rank, std::size_t i) const {
    return static_cast<char*>(block_[rank].pointer()) + i * kPageBytes;
  }
  std::string folder(int number) const { return dir_ + "/00000" + std::to_string(number); }

  void make() {
    NewCheckpoint fresh;
    ASSERT_TRUE(fresh.begin(dir_, &why_)) << why_;
    Manifest manifest;
    manifest.ranks = manifest.homes = kRanks;
    manifest.arena = iso::arena().whole();
    manifest.lease_bytes = iso::arena().lease_bytes();
    const std::string part = fresh.part_path() + "/";
    for (int r = 0; r < kRanks; ++r) {
      PieceWriter writer;
      PieceSummary summary;
      writer.begin(part + piece_name(r), r, kRanks, fresh.number);
      writer.build_on(known_[r], nullptr, writer.links_of_files(known_[r]));
      ASSERT_TRUE(writer.add_block(block_[r], block_[r].bytes) && writer.copy() &&
                  writer.finish(&summary, &known_[r]))
          << writer.error();
      known_[r].folder = folder(static_cast<int>(fresh.number));
      manifest.pieces.push_back(std::move(summary));
    }
    ASSERT_TRUE(fresh.publish(std::move(manifest), &why_)) << why_;
  }
  Manifest manifest_of(int number) {
    Manifest manifest;
    EXPECT_TRUE(manifest.read(folder(number), &why_)) << why_;
    return manifest;
  }
  // As a restart reads it, and a tool.
  static bool whole(const Manifest& manifest, std::string* why) {
    why->clear();
    for (int r = 0; r < manifest.ranks; ++r) {
      PieceReader reader;
      if (!reader.open(manifest.path_of(r), manifest.pieces[static_cast<std::size_t>(r)], why) ||
          !reader.verify(why))
        return false;
    }
    return true;
  }
  static bool whole(const std::string& folder, std::string* why) {
    Manifest manifest;
    return manifest.read(folder, why) && whole(manifest, why);
  }
  // The number of the newest that is whole, as a restart finds it; 0: there is none.
  int newest() {
    std::string why;
    for (const std::string& path : complete_ones(dir_, &why)) {
      if (whole(path, &why)) return path.back() - '0';
    }
    return 0;
  }
  void expect_refused(const std::string& name, int instead) {
    EXPECT_FALSE(whole(folder(3), &why_));
    EXPECT_TRUE(why_.starts_with(folder(3) + "/" + name)) << why_;
    EXPECT_EQ(newest(), instead);
  }
  // Piece 0 of 3 with `index`, and checksums that are right for it: what is written by an error, or
  // by somebody who knows the format.
  Manifest with_index(const std::string& index) {
    const PieceSummary& was = right_.pieces[0];
    std::string bytes = contents_of(right_.path_of(0));
    bytes.replace(was.index_offset, was.index_bytes, index);
    PieceTrailer trailer;
    char* at = bytes.data() + was.index_offset + was.index_bytes;
    std::memcpy(&trailer, at, sizeof trailer);
    trailer.index_hash = hash_of(index.data(), index.size());
    trailer.hash = hash_of(&trailer, offsetof(PieceTrailer, hash));
    std::memcpy(at, &trailer, sizeof trailer);
    put(dir_ + "/other", bytes);
    fs::copy_file(dir_ + "/other", right_.path_of(0), fs::copy_options::overwrite_existing);
    Manifest manifest = right_;
    manifest.pieces[0].index_hash = trailer.index_hash;
    return manifest;
  }
  std::string index() const {
    const PieceSummary& piece = right_.pieces[0];
    return contents_of(right_.path_of(0)).substr(piece.index_offset, piece.index_bytes);
  }

  threads::TestThreads threads_;
  std::string dir_, why_;
  std::array<Range, kRanks> block_;
  std::array<KnownPages, kRanks> known_;
  Manifest right_;
};

// Where things are in the index: no images, one block.
constexpr std::size_t kBaseAt = sizeof(IndexHead);
constexpr std::size_t kBlockAt = kBaseAt + 2 * sizeof(BaseEntry);
constexpr std::size_t kRunsAt = kBlockAt + sizeof(BlockEntry);

TEST_F(BasesTest, EachByteOfAnIndexWithBasesCounts) {
  const std::string path = right_.path_of(0);
  const PieceSummary& piece = right_.pieces[0];
  const std::string right = contents_of(path);
  std::uint64_t random = test_seed();
  const int fd = open(path.c_str(), O_RDWR);
  for (std::size_t at = piece.index_offset; at < right.size() && !HasFailure(); ++at) {
    const char wrong = static_cast<char>(right[at] ^ 1 << next_random(&random) % 8);
    ASSERT_EQ(pwrite(fd, &wrong, 1, static_cast<off_t>(at)), 1);
    ASSERT_FALSE(whole(right_, &why_)) << at;
    EXPECT_TRUE(why_.starts_with(path + " at byte ")) << why_;
    ASSERT_EQ(pwrite(fd, &right[at], 1, static_cast<off_t>(at)), 1);
  }
  close(fd);
  EXPECT_TRUE(whole(right_, &why_)) << why_;
}

TEST_F(BasesTest, EachBitOfABaseInTheIndexIsComparedWithTheManifest) {
  const std::string right = index();
  for (std::size_t bit = 0; bit < 2 * sizeof(BaseEntry) * 8; ++bit) {
    std::string wrong = right;
    wrong[kBaseAt + bit / 8] = static_cast<char>(wrong[kBaseAt + bit / 8] ^ 1 << bit % 8);
    ASSERT_FALSE(whole(with_index(wrong), &why_)) << bit;
    EXPECT_TRUE(why_.starts_with(right_.path_of(0) + " at byte ")) << why_;
  }
  for (std::size_t bit = 0; bit < 64; ++bit) {
    std::string wrong = right;
    const std::size_t at = offsetof(IndexHead, bases) + bit / 8;
    wrong[at] = static_cast<char>(wrong[at] ^ 1 << bit % 8);
    ASSERT_FALSE(whole(with_index(wrong), &why_)) << bit;
  }
  EXPECT_TRUE(whole(with_index(right), &why_)) << why_;
}

// All pages differ, so that no other place has the bytes of a run.
TEST_F(BasesTest, NoOtherPlaceOfAFileIsTakenForThatOfARun) {
  const std::string right = index();
  std::uint64_t runs = 0;
  std::memcpy(&runs, right.data() + kBlockAt + offsetof(BlockEntry, page_runs), sizeof runs);
  ASSERT_GE(runs, 6u);
  const std::uint32_t files[] = {0, 1, 2, 3, 0x7fff'ffff, 0xffff'ffff};
  const std::uint64_t steps[] = {0, 1, kPageBytes, 2 * kPageBytes, 300 * kPageBytes};
  std::uint64_t random = test_seed();
  for (std::uint64_t r = 0; r < runs && !HasFailure(); ++r) {
    PageRun run;
    const std::size_t at = kRunsAt + r * sizeof run;
    std::memcpy(&run, right.data() + at, sizeof run);
    std::vector<std::uint64_t> offsets = {0,
                                          UINT64_MAX,
                                          UINT64_MAX - kPageBytes + 1,
                                          0 - std::uint64_t{run.bytes},
                                          std::uint64_t{1} << 63,
                                          std::uint64_t{1} << 40,
                                          next_random(&random),
                                          next_random(&random) % 400 * kPageBytes};
    for (const std::uint64_t step : steps) {
      offsets.push_back(run.offset + step);
      offsets.push_back(run.offset - step);
    }
    for (const std::uint32_t file : files) {
      for (const std::uint64_t offset : offsets) {
        if (file == run.file && offset == run.offset) continue;
        SCOPED_TRACE(testing::Message() << "run " << r << " at " << offset << " of file " << file);
        PageRun wrong = run;
        wrong.file = file;
        wrong.offset = offset;
        std::string bytes = right;
        std::memcpy(bytes.data() + at, &wrong, sizeof wrong);
        const Manifest manifest = with_index(bytes);
        ASSERT_FALSE(whole(manifest, &why_));
        EXPECT_TRUE(why_.starts_with(folder(3) + "/")) << why_;
        EXPECT_NE(why_.find(" at byte "), std::string::npos) << why_;
        // A restart reads into memory without a look at all of it before.
        PieceReader reader;
        if (!reader.open(manifest.path_of(0), manifest.pieces[0], &why_)) continue;
        EXPECT_FALSE(reader.read_block(0, &why_));
        EXPECT_TRUE(why_.starts_with(folder(3) + "/")) << why_;
      }
    }
  }
}

TEST_F(BasesTest, AnIndexOfRandomFaultsIsRefusedOrBringsTheSameBytes) {
  const std::string right = index();
  std::uint64_t random = test_seed();
  std::uint64_t runs = 0;
  std::memcpy(&runs, right.data() + kBlockAt + offsetof(BlockEntry, page_runs), sizeof runs);
  const std::size_t end = kRunsAt + runs * sizeof(PageRun);
  const std::string now(page(0, 0), kPages * kPageBytes);
  int refused = 0;
  for (int round = 0; round < 1500 && !HasFailure(); ++round) {
    SCOPED_TRACE(testing::Message() << "round " << round);
    std::string bytes = right;
    const std::size_t at = next_random(&random) % end;
    switch (next_random(&random) % 4) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ 1 << next_random(&random) % 8);
        break;
      case 1:
        bytes[at] = static_cast<char>(next_random(&random));
        break;
      case 2: {  // what belongs elsewhere in it
        const std::size_t from = next_random(&random) % (end / 8) * 8;
        std::memmove(bytes.data() + at / 8 * 8, right.data() + from, 8);
        break;
      }
      default: {
        const std::uint64_t extremes[] = {0, UINT64_MAX, UINT64_MAX / 2, next_random(&random),
                                          kPageBytes};
        std::memcpy(bytes.data() + at / 8 * 8, &extremes[next_random(&random) % 5], 8);
      }
    }
    if (bytes == right) continue;
    const Manifest manifest = with_index(bytes);
    if (!whole(manifest, &why_)) {
      ++refused;
      EXPECT_TRUE(why_.starts_with(folder(3) + "/")) << why_;
      continue;
    }
    // How many bytes were asked for, and where addresses without pages are, no checksum knows.
    PieceReader reader;
    ASSERT_TRUE(reader.open(manifest.path_of(0), manifest.pieces[0], &why_)) << why_;
    ASSERT_EQ(reader.block(0).range.begin, block_[0].begin);
    std::memset(page(0, 0), 0, block_[0].bytes);
    ASSERT_TRUE(reader.read_block(0, &why_)) << why_;
    for (std::uint64_t r = 0; r < runs; ++r) {
      PageRun run, was;
      std::memcpy(&run, bytes.data() + kRunsAt + r * sizeof run, sizeof run);
      std::memcpy(&was, right.data() + kRunsAt + r * sizeof was, sizeof was);
      // The last may lie anywhere behind the others.
      ASSERT_TRUE(run.begin == was.begin || r + 1 == runs);
      ASSERT_EQ(run.bytes, was.bytes);
      ASSERT_EQ(std::memcmp(reinterpret_cast<const void*>(run.begin),
                            now.data() + (was.begin - block_[0].begin), was.bytes),
                0);
    }
    std::memcpy(page(0, 0), now.data(), now.size());
  }
  EXPECT_GT(refused, 1000);
}

TEST_F(BasesTest, ABaseThatIsMissingOrSomethingElseIsRefused) {
  const std::string base = folder(3) + "/base-000001-0";
  fs::remove(base);
  expect_refused("base-000001-0: open: No such file", 2);
  fs::create_directory(base);
  expect_refused("base-000001-0: it is no regular file", 2);
  fs::remove(base);
  ASSERT_EQ(mkfifo(base.c_str(), 0600), 0);  // nobody will ever write into it
  expect_refused("base-000001-0: it is no regular file", 2);
  fs::remove(base);
  fs::create_symlink(folder(1) + "/piece-0", base);
  expect_refused("base-000001-0: open", 2);
  fs::remove(base);
  put(base, "");
  expect_refused("base-000001-0 at byte 0: ", 2);
  // A copy is as good as a link: a checkpoint can be copied.
  put(base, contents_of(folder(1) + "/piece-0"));
  EXPECT_EQ(newest(), 3);
}

TEST_F(BasesTest, ABaseThatIsCutAnywhereIsRefused) {
  const std::string base = folder(3) + "/base-000001-1";
  const std::string right = contents_of(base);
  // Pages 0 to 298 of the first checkpoint are needed.
  for (std::size_t bytes = 0; bytes < kPages * kPageBytes; bytes += kPageBytes + 512) {
    put(base, right.substr(0, bytes));
    expect_refused("base-000001-1 at byte ", 2);
    if (HasFailure()) return;
  }
}

TEST_F(BasesTest, EachByteOfABaseThatIsUsedCounts) {
  for (const char* name : {"base-000001-0", "base-000002-0"}) {
    const std::string base = folder(3) + "/" + name;
    const std::string right = contents_of(base);
    put(base, right);  // a file of its own: 1 and 2 stay right
    std::uint64_t random = test_seed();
    const int fd = open(base.c_str(), O_RDWR);
    int unused = 0;
    const std::size_t pages = right.size() / kPageBytes;
    for (std::size_t p = 0; p < pages && !HasFailure(); ++p) {
      const std::size_t at = p * kPageBytes + next_random(&random) % kPageBytes;
      const char wrong = static_cast<char>(right[at] ^ 1 << next_random(&random) % 8);
      ASSERT_EQ(pwrite(fd, &wrong, 1, static_cast<off_t>(at)), 1);
      if (whole(folder(3), &why_)) {
        ++unused;  // what newer ones have, and its index
      } else {
        EXPECT_TRUE(why_.starts_with(base + " at byte ")) << why_;
        EXPECT_EQ(newest(), 2);
      }
      ASSERT_EQ(pwrite(fd, &right[at], 1, static_cast<off_t>(at)), 1);
    }
    close(fd);
    // Of the first, what 2 or 3 has written again; of the second page 4; and what is behind pages.
    const std::size_t index =
        pages - manifest_of(name[10] - '0').pieces[0].index_offset / kPageBytes;
    EXPECT_EQ(unused, static_cast<int>(index) + (name[10] == '1' ? 5 : 1)) << name;
  }
}

// A base is a link: the same bytes are those of an earlier checkpoint.
TEST_F(BasesTest, WhatSeveralBuildOnIsWrongInAllOfThem) {
  const int fd = open((folder(3) + "/base-000001-0").c_str(), O_RDWR);
  char byte = 0;
  ASSERT_EQ(pread(fd, &byte, 1, 100 * kPageBytes), 1);
  byte = static_cast<char>(byte ^ 4);
  ASSERT_EQ(pwrite(fd, &byte, 1, 100 * kPageBytes), 1);
  EXPECT_EQ(newest(), 0);
  byte = static_cast<char>(byte ^ 4);
  ASSERT_EQ(pwrite(fd, &byte, 1, 100 * kPageBytes), 1);
  EXPECT_EQ(newest(), 3);
  close(fd);
}

TEST_F(BasesTest, ABaseOfAnotherPlaceIsRefused) {
  const auto of = [&](int number, int rank) {
    return contents_of(folder(number) + "/" + piece_name(rank));
  };
  const std::string base = folder(3) + "/base-000001-0";
  put(base, of(1, 1));
  expect_refused("base-000001-0 at byte 0: it is of rank 1 of 2 and checkpoint 1", 2);
  put(base, of(2, 0));
  expect_refused("base-000001-0 at byte 0: it is of rank 0 of 2 and checkpoint 2", 2);
  put(base, of(3, 0));
  expect_refused("base-000001-0 at byte 0: it is of rank 0 of 2 and checkpoint 3", 2);
  put(base, contents_of(folder(3) + "/manifest"));
  expect_refused("base-000001-0 at byte ", 2);
  put(base, of(1, 0));
  EXPECT_EQ(newest(), 3);
  // Two that have each other's names.
  fs::rename(folder(3) + "/base-000002-0", folder(3) + "/x");
  fs::rename(base, folder(3) + "/base-000002-0");
  fs::rename(folder(3) + "/x", base);
  expect_refused("base-000001-0 at byte 0: it is of rank 0 of 2 and checkpoint 2", 2);
}

// The same number and rank, of another job that had the same addresses.
TEST_F(BasesTest, ABaseOfAnotherJobIsRefused) {
  const std::string base = folder(3) + "/base-000001-0";
  std::string other = contents_of(base);
  const std::size_t end = manifest_of(1).pieces[0].index_offset;
  fill_bytes(other.data() + kPageBytes, end - kPageBytes, test_seed() + 99);
  put(base, other);
  expect_refused("base-000001-0 at byte 4096: the ", 2);
}

TEST_F(BasesTest, WhatTheManifestSaysOfBasesIsCompared) {
  const std::string right = right_.text();
  const std::string first = "\"number\": 1,\n     \"rank\": 0";
  const auto refused = [&](const std::string& from, const std::string& to) {
    SCOPED_TRACE(to);
    std::string json = right.substr(0, right.rfind("xxh3"));
    const std::size_t at = json.find(from);
    ASSERT_NE(at, std::string::npos) << from << json;
    json.replace(at, from.size(), to);
    char line[32];
    std::snprintf(line, sizeof line, "xxh3 %016llx\n",
                  static_cast<unsigned long long>(hash_of(json.data(), json.size())));
    put(folder(3) + "/manifest", json + line);
    expect_refused("", 2);
  };
  refused(first, "\"number\": 2,\n     \"rank\": 0");
  refused(first, "\"number\": 1,\n     \"rank\": 1");
  refused(first, "\"number\": -1,\n     \"rank\": 0");
  refused(first, "\"number\": \"1\",\n     \"rank\": 0");
  refused(first, "\"number\": 18446744073709551615,\n     \"rank\": 0");
  refused(first, "\"number\": 1,\n     \"rank\": 2147483648");
  refused(first, "\"number\": 1,\n     \"rank\": -1");
  refused(first, "\"number\": 1");
  refused(first, "\"rank\": 0");
  refused("\"bases\": [", "\"bases\": [1,");
  refused("\"bases\": [", "\"bases\": [{\"number\": 1, \"rank\": 0},");
  refused("\"bases\": [", "\"bases\": [{\"number\": 3, \"rank\": 0},");
  refused("\"bases\": [", "\"bases\": [], \"others\": [");
  refused("\"bases\"", "\"base\"");
  refused("\"number\": 3", "\"number\": 2");
  refused("\"version\": 2", "\"version\": 1");
  put(folder(3) + "/manifest", right);
  EXPECT_EQ(newest(), 3);
}

}  // namespace
}  // namespace roam::runtime
