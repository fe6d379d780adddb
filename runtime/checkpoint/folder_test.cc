#include "runtime/checkpoint/folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "runtime/checkpoint/hash.h"
#include "runtime/checkpoint/piece_format.h"

namespace roam::runtime {
namespace {

namespace fs = std::filesystem;

constexpr OwnCheckpoints kOwn{.canary = 0xfedc'ba98'7654'3200};

class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    std::string name = testing::TempDir() + "folder.XXXXXX";
    dir_ = std::string(mkdtemp(name.data())) + "/checkpoints";
  }
  ~FolderTest() override { fs::remove_all(fs::path(dir_).parent_path()); }

  static Manifest some_manifest() {
    Manifest m;
    m.ranks = 2;
    m.homes = 3;
    m.threads = 1'000'000'000'000;
    m.program = "/a/\"program\"";
    m.roam = "0.1.0";
    m.layout = {"module /a/program at 0x1000, build-id 12", "cpu features 1: 00000001 00000002"};
    m.arena = {0x2000'0000'0000, std::size_t{48} << 40};
    m.lease_bytes = 1 << 30;
    m.canary = kOwn.canary;
    m.clock_ns = 0x8000'0000'0000'0001;
    m.data["state"] = std::string("a\0\xff z", 5);
    for (int rank = 0; rank < m.ranks; ++rank) {
      PieceSummary piece;
      piece.file = piece_name(rank);
      piece.rank = rank;
      piece.ranks = 2;
      piece.bytes = 12288;
      piece.index_offset = 8192;
      piece.index_bytes = 4056;
      piece.index_hash = 0xffff'0000'1234'5678;
      piece.images = 4;
      piece.blocks = 5;
      m.pieces.push_back(piece);
    }
    m.pieces[1].bases.push_back({7, 1, 0});
    return m;
  }
  // `stored`: of each piece, which is compressed; 0: it is not. It builds on a piece of the
  // checkpoint `base_number`.
  void make_one(std::uint64_t stored = 0, std::uint64_t base_number = 7) {
    const std::string base_name = "/" + runtime::base_name({base_number, 1, 0});
    NewCheckpoint one;
    std::string why;
    ASSERT_TRUE(one.begin(dir_, &why)) << why;
    Manifest m = some_manifest();
    for (PieceSummary& piece : m.pieces) {
      piece.stored = stored;
      for (BaseEntry& base : piece.bases) base.number = base_number;
    }
    for (const std::string& name : {std::string("/piece-0"), std::string("/piece-1"), base_name}) {
      std::ofstream(one.part_path() + name) << "bytes";
      fs::resize_file(one.part_path() + name, m.pieces[0].stored_bytes());
    }
    // A base ends as a whole piece does.
    PieceTrailer trailer{PieceTrailer::kMagic, 8192, 4056, 7, 0};
    trailer.hash = hash_of(&trailer, offsetof(PieceTrailer, hash));
    const fs::path base = one.part_path() + base_name;
    std::fstream(base, std::ios::in | std::ios::out | std::ios::binary)
        .seekp(static_cast<std::streamoff>(fs::file_size(base) - sizeof trailer))
        .write(reinterpret_cast<const char*>(&trailer), sizeof trailer);
    ASSERT_TRUE(one.publish(m, &why)) << why;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(dir_)) all.push_back(entry.path().filename());
    std::sort(all.begin(), all.end());
    return all;
  }
  using Names = std::vector<std::string>;

  std::string dir_;
};

TEST_F(FolderTest, ACheckpointIsThereWhenItIsComplete) {
  NewCheckpoint one;
  std::string why;
  ASSERT_TRUE(one.begin(dir_, &why)) << why;
  EXPECT_EQ(one.number, 1u);
  EXPECT_EQ(names(), Names{"000001.part"});
  struct stat folder {};
  ASSERT_EQ(stat(dir_.c_str(), &folder), 0);
  EXPECT_EQ(folder.st_mode & 0777, 0700u);
  ASSERT_EQ(stat(one.part_path().c_str(), &folder), 0);
  EXPECT_EQ(folder.st_mode & 0777, 0700u);
  EXPECT_TRUE(complete_ones(dir_, &why).empty());
  EXPECT_NE(why, "");

  ASSERT_TRUE(one.publish(some_manifest(), &why)) << why;
  EXPECT_EQ(names(), Names{"000001"});
  EXPECT_EQ(complete_ones(dir_, &why), Names{dir_ + "/000001"});
  EXPECT_EQ(complete_ones(dir_ + "/000001", &why), Names{dir_ + "/000001"});
  ASSERT_EQ(stat((dir_ + "/000001/manifest").c_str(), &folder), 0);
  EXPECT_EQ(folder.st_mode & 0777, 0600u);
  make_one();
  EXPECT_EQ(complete_ones(dir_, &why), (Names{dir_ + "/000002", dir_ + "/000001"}));

  // Some other program's.
  std::ofstream(dir_ + "/manifest") << "what it carries\n";
  EXPECT_EQ(complete_ones(dir_, &why), (Names{dir_ + "/000002", dir_ + "/000001"}));
}

TEST_F(FolderTest, AManifestComesBackAsItWas) {
  make_one();
  Manifest m, expected = some_manifest();
  std::string why;
  ASSERT_TRUE(m.read(dir_ + "/000001", &why)) << why;
  EXPECT_EQ(m.number, 1u);
  EXPECT_EQ(m.made.size(), 20u);
  EXPECT_EQ(m.bytes, 24576u);
  EXPECT_EQ(m.path_of(1), dir_ + "/000001/piece-1");
  EXPECT_EQ(m.homes, 3);
  EXPECT_EQ(m.program, expected.program);
  EXPECT_EQ(m.layout, expected.layout);
  EXPECT_EQ(m.arena, expected.arena);
  EXPECT_EQ(m.lease_bytes, expected.lease_bytes);
  EXPECT_EQ(m.canary, expected.canary);
  EXPECT_EQ(m.data, expected.data);
  EXPECT_EQ(m.threads, expected.threads);
  for (PieceSummary& piece : expected.pieces) piece.number = 1;
  EXPECT_EQ(m.pieces, expected.pieces);
  Manifest again;
  ASSERT_TRUE(again.parse("there", m.text(), &why)) << why;
  EXPECT_EQ(again.text(), m.text());
  // Earlier builds read it too, as long as nothing is compressed.
  EXPECT_NE(m.text().find("\"version\": 2"), std::string::npos);
  EXPECT_EQ(m.text().find("stored"), std::string::npos);
  m.pieces[1].stored = 8192;
  EXPECT_NE(m.text().find("\"version\": 3"), std::string::npos);
  EXPECT_EQ(m.stored_bytes(), 12288u + 8192);
  ASSERT_TRUE(again.parse("there", m.text(), &why)) << why;
  EXPECT_EQ(again.text(), m.text());
  EXPECT_EQ(again.pieces[0].stored, 12288u);
  EXPECT_EQ(again.pieces[1].stored, 8192u);
}

TEST_F(FolderTest, WhatAJobLeftThatDiedGoesAndWhatOneMakesThatLivesStays) {
  NewCheckpoint living, next;
  std::string why;
  ASSERT_TRUE(living.begin(dir_, &why)) << why;
  const std::string left = dir_ + "/000041.part";
  fs::create_directory(left);
  std::ofstream(left + "/piece-0") << "bytes";
  std::ofstream(dir_ + "/notes.part") << "not ours";
  fs::create_directory(dir_ + "/000050x.part");
  ASSERT_TRUE(next.begin(dir_, &why)) << why;
  EXPECT_EQ(next.number, 42u) << "a number is not used again";
  EXPECT_EQ(names(), (Names{"000001.part", "000042.part", "000050x.part", "notes.part"}));
  ASSERT_TRUE(next.publish(some_manifest(), &why)) << why;
  ASSERT_TRUE(living.publish(some_manifest(), &why)) << why;
  EXPECT_EQ(complete_ones(dir_, &why), (Names{dir_ + "/000042", dir_ + "/000001"}));
}

// NFS sends locks to its server for files, and not for folders; exclusive ones if they are open for
// writing.
TEST_F(FolderTest, TheLockIsOfAFileThatIsOpenForWriting) {
  NewCheckpoint one;
  std::string why;
  ASSERT_TRUE(one.begin(dir_, &why)) << why;
  const std::string path = fs::canonical(one.part_path() + "/lock");
  ASSERT_TRUE(fs::is_regular_file(path));
  int open_ones = 0;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (fs::read_symlink(entry.path(), gone) != path) continue;
    ++open_ones;
    const int fd = std::stoi(entry.path().filename());
    EXPECT_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
  }
  EXPECT_EQ(open_ones, 1);
  const int other = open(path.c_str(), O_RDWR | O_CLOEXEC);
  EXPECT_NE(flock(other, LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(errno, EWOULDBLOCK);
  ASSERT_TRUE(one.publish(some_manifest(), &why)) << why;
  EXPECT_EQ(flock(other, LOCK_EX | LOCK_NB), 0);
  close(other);
  EXPECT_FALSE(fs::exists(dir_ + "/000001/lock"));
  // One that nobody has locked any more.
  fs::create_directory(dir_ + "/000007.part");
  std::ofstream(dir_ + "/000007.part/lock");
  ASSERT_TRUE(one.begin(dir_, &why)) << why;
  EXPECT_EQ(names(), (Names{"000001", "000008.part"}));
}

TEST_F(FolderTest, WhatIsGivenUpLeavesNothing) {
  std::string why;
  {
    NewCheckpoint one;
    ASSERT_TRUE(one.begin(dir_, &why)) << why;
    std::ofstream(one.part_path() + "/piece-0") << "bytes";
  }
  EXPECT_EQ(names(), Names{});
  NewCheckpoint again;
  ASSERT_TRUE(again.begin(dir_, &why)) << why;
  ASSERT_TRUE(again.begin(dir_, &why)) << "the first is given up: " << why;
  EXPECT_EQ(names().size(), 1u);
  again.give_up();
  EXPECT_EQ(names(), Names{});
}

TEST_F(FolderTest, TheNewestStay) {
  std::string why, foreign;
  for (int i = 0; i < 5; ++i) make_one();
  ASSERT_TRUE(keep_newest(dir_, 3, kOwn, &foreign, &why)) << why;
  EXPECT_EQ(names(), (Names{"000003", "000004", "000005"}));
  // One that is torn is none that could be gone back to.
  std::ofstream(dir_ + "/000005/manifest") << "torn";
  ASSERT_TRUE(keep_newest(dir_, 1, kOwn, &foreign, &why)) << why;
  EXPECT_EQ(names(), (Names{"000004", "000005"}));
  EXPECT_EQ(foreign, "");
}

// Damage to what two of them share would leave none.
TEST_F(FolderTest, OneThatSharesNoFileWithTheNewestStays) {
  std::string why, foreign;
  for (const std::uint64_t base : {101, 101, 102, 102, 103, 103, 103, 103}) make_one(0, base);
  ASSERT_TRUE(keep_newest(dir_, 3, kOwn, &foreign, &why)) << why;
  EXPECT_EQ(names(), (Names{"000004", "000006", "000007", "000008"}));
  ASSERT_TRUE(keep_newest(dir_, 2, kOwn, &foreign, &why)) << why;
  EXPECT_EQ(names(), (Names{"000004", "000007", "000008"}));
  make_one(0, 102);
  ASSERT_TRUE(keep_newest(dir_, 2, kOwn, &foreign, &why)) << why;
  EXPECT_EQ(names(), (Names{"000008", "000009"})) << "the two newest share nothing";
  ASSERT_TRUE(keep_newest(dir_, 1, kOwn, &foreign, &why)) << why;
  EXPECT_EQ(names(), Names{"000009"}) << "one is wanted";
}

TEST_F(FolderTest, OneThatSharesNoFileAndLacksOneDoesNotStay) {
  std::string why, foreign;
  for (const std::uint64_t base : {101, 102, 103, 103, 103}) make_one(0, base);
  fs::remove(dir_ + "/000002/base-000102-1");
  ASSERT_TRUE(keep_newest(dir_, 2, kOwn, &foreign, &why)) << why;
  EXPECT_EQ(names(), (Names{"000001", "000004", "000005"}));
}

TEST_F(FolderTest, TheNewestStayWhateverTheirNumbers) {
  std::string why, foreign;
  for (int i = 0; i < 6; ++i) make_one();
  for (const char* gone : {"/000002", "/000004", "/000005"}) fs::remove_all(dir_ + gone);
  fs::rename(dir_ + "/000006", dir_ + "/1000006");
  ASSERT_TRUE(keep_newest(dir_, 2, kOwn, &foreign, &why)) << why;
  EXPECT_EQ(names(), (Names{"000003", "1000006"}));
}

TEST_F(FolderTest, OneWithoutAllOfItsFilesDoesNotCount) {
  std::string why, foreign;
  for (int i = 0; i < 5; ++i) make_one();
  fs::remove(dir_ + "/000005/piece-1");
  fs::resize_file(dir_ + "/000004/piece-0", 4096);
  fs::remove(dir_ + "/000003/base-000007-1");
  fs::resize_file(dir_ + "/000002/base-000007-1", 8192);
  ASSERT_TRUE(keep_newest(dir_, 1, kOwn, &foreign, &why)) << why;
  EXPECT_EQ(names(), (Names{"000001", "000002", "000003", "000004", "000005"}));
  make_one();
  ASSERT_TRUE(keep_newest(dir_, 1, kOwn, &foreign, &why)) << why;
  EXPECT_EQ(names(), Names{"000006"});
}

TEST_F(FolderTest, CompressedOnesCount) {
  std::string why, foreign;
  for (int i = 0; i < 3; ++i) make_one(4096);
  ASSERT_TRUE(keep_newest(dir_, 1, kOwn, &foreign, &why)) << why;
  EXPECT_EQ(names(), Names{"000003"});
}

TEST_F(FolderTest, WhatARestartPassedOverDoesNotCount) {
  std::string why, foreign;
  for (int i = 0; i < 4; ++i) make_one();
  OwnCheckpoints own = kOwn;
  own.went_on_from = 2;  // 3 is torn
  own.first_new = 4;
  ASSERT_TRUE(keep_newest(dir_, 2, own, &foreign, &why)) << why;
  EXPECT_EQ(names(), (Names{"000002", "000003", "000004"}));
  make_one();
  ASSERT_TRUE(keep_newest(dir_, 2, own, &foreign, &why)) << why;
  EXPECT_EQ(names(), (Names{"000004", "000005"}));
}

TEST_F(FolderTest, OfAnotherJobAllStay) {
  std::string why, foreign;
  for (int i = 0; i < 3; ++i) make_one();
  OwnCheckpoints own = kOwn;
  ++own.canary;
  ASSERT_TRUE(keep_newest(dir_, 1, own, &foreign, &why)) << why;
  EXPECT_EQ(names(), (Names{"000001", "000002", "000003"}));
  EXPECT_EQ(foreign, dir_ + "/000003");
}

TEST_F(FolderTest, WhatIsInTheWayIsNamed) {
  std::string why;
  NewCheckpoint one;
  EXPECT_FALSE(one.begin(dir_ + "/no/folder", &why));
  EXPECT_EQ(why, dir_ + "/no/folder: mkdir: No such file or directory");
  std::ofstream(dir_) << "a file";
  EXPECT_FALSE(one.begin(dir_, &why));
  EXPECT_EQ(why, dir_ + ": opendir: Not a directory");
  EXPECT_TRUE(complete_ones(dir_, &why).empty());
  EXPECT_EQ(why, dir_ + ": opendir: Not a directory");
  std::string foreign;
  EXPECT_FALSE(keep_newest(dir_, 1, kOwn, &foreign, &why));
  EXPECT_NE(why, "");
}

TEST_F(FolderTest, WhatBelongsToAnotherUserIsRefusedUnlessToldOtherwise) {
  make_one();
  const std::string folder = dir_ + "/000001";
  if (chown((folder + "/manifest").c_str(), geteuid() + 1, static_cast<gid_t>(-1)) != 0)
    GTEST_SKIP() << "this user cannot give files away";
  Manifest m;
  std::string why;
  EXPECT_FALSE(m.read(folder, &why));
  EXPECT_NE(why.find("belongs to user"), std::string::npos) << why;
  EXPECT_TRUE(m.read(folder, &why, true)) << why;
}

TEST_F(FolderTest, EachJobHasKeepersOfItsOwn) {
  std::string why;
  fs::create_directories(dir_);
  EXPECT_EQ(name_for_keepers(dir_, false, &why), "");
  EXPECT_NE(why.find(dir_ + "/keepers: open"), std::string::npos) << why;
  const std::string first = name_for_keepers(dir_, true, &why);
  EXPECT_EQ(first.size(), (dir_ + "/keepers-0123456789abcdef").size()) << why;
  EXPECT_EQ(name_for_keepers(dir_, false, &why), first);
  EXPECT_TRUE(first.starts_with(names_for_keepers(dir_)));
  EXPECT_NE(name_for_keepers(dir_, true, &why), first);
  const auto noted = [this] {
    std::ifstream file(dir_ + "/keepers");
    std::string name;
    int kept = -1;
    file >> name >> kept;
    return kept;
  };
  const std::string last = name_for_keepers(dir_, false, &why);
  EXPECT_EQ(noted(), 0);
  EXPECT_TRUE(note_kept(last, true, &why)) << why;
  EXPECT_EQ(noted(), 1);
  EXPECT_EQ(name_for_keepers(dir_, false, &why), last);
  EXPECT_TRUE(note_kept(last, false, &why)) << why;
  EXPECT_EQ(noted(), 0);
  EXPECT_FALSE(note_kept(dir_ + "/nowhere/keepers-0123456789abcdef", true, &why));
  EXPECT_TRUE(note_kept(dir_ + "/nowhere/keepers-0123456789abcdef", false, &why)) << why;
  EXPECT_TRUE(note_kept(last, true, &why)) << why;
  const std::string newer = name_for_keepers(dir_, true, &why);
  EXPECT_NE(newer, last);
  EXPECT_EQ(noted(), 0);
  // An earlier job's word is none any more.
  EXPECT_TRUE(note_kept(last, true, &why)) << why;
  EXPECT_EQ(noted(), 0);
  EXPECT_TRUE(note_kept(newer, true, &why)) << why;
  EXPECT_TRUE(note_kept(last, false, &why)) << why;
  EXPECT_EQ(noted(), 1);
  std::ofstream(dir_ + "/keepers") << "0123456789abcdeX";
  EXPECT_EQ(name_for_keepers(dir_, false, &why), "");
}

TEST_F(FolderTest, IsTheSameByWhateverWay) {
  const std::string scratch = fs::path(dir_).parent_path().string();
  fs::create_directories(scratch + "/place");
  fs::create_directory_symlink(scratch + "/place", scratch + "/link");
  for (const bool there : {false, true}) {
    if (there) fs::create_directories(scratch + "/place/all");
    for (const char* way : {"/place/all", "/place/all/", "/place/./all", "/place/x/../all",
                            "/link/all", "/link/../place/all"})
      EXPECT_TRUE(same_folder(scratch + way, scratch + "/place/all")) << way << there;
    EXPECT_FALSE(same_folder(scratch + "/place/al", scratch + "/place/all"));
    EXPECT_FALSE(same_folder(scratch + "/all", scratch + "/place/all"));
  }
  EXPECT_TRUE(same_folder("not/there", fs::current_path().string() + "/not/there"));
  EXPECT_FALSE(same_folder("", fs::current_path().string()));
}

TEST(ManifestTest, OneThatCouldNotBeReadIsNotWritten) {
  std::string why;
  EXPECT_TRUE(Manifest::fits(Manifest::kMostBytes, &why)) << why;
  EXPECT_FALSE(Manifest::fits(Manifest::kMostBytes + 1, &why));
  EXPECT_NE(why.find("268435457 bytes, and 268435456 are the most"), std::string::npos) << why;
  EXPECT_LT(2 * Manifest::kMostDataBytes, Manifest::kMostBytes) << "data is hexadecimal there";
}

}  // namespace
}  // namespace roam::runtime
