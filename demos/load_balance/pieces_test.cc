#include "demos/load_balance/pieces.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

std::uint64_t sum(const std::vector<File>& files) {
  std::uint64_t bytes = 0;
  for (const File& file : files) bytes += file.bytes;
  return bytes;
}

std::vector<File> tree(std::uint64_t count, std::uint64_t step) {
  std::vector<File> files;
  for (std::uint64_t i = 1; i <= count; ++i) files.push_back({"f" + std::to_string(i), i * step});
  return files;
}

TEST(Pieces, AListWithinTheLimitIsTakenWhole) {
  const std::vector<File> files = {{"a", 5}, {"b", 5}, {"c", 1}};
  EXPECT_EQ(choose(files, 11, 1).size(), 3u);
}

TEST(Pieces, ASampleStaysWithinTheLimitAndIsSkewed) {
  const std::vector<File> chosen = choose(tree(10'000, 100), 4'000'000, 64);
  EXPECT_EQ(chosen.size(), 64u);
  EXPECT_LE(sum(chosen), 4'000'000u);
  EXPECT_GT(sum(chosen), 3'800'000u);
  const std::vector<Piece> pieces = cut(chosen, 1 << 30);
  std::vector<std::uint64_t> dealt(4);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    dealt[static_cast<std::size_t>(dealt_to(i, pieces.size(), 4))] += pieces[i].bytes;
  }
  EXPECT_GT(dealt[0], 2 * dealt[1]);
  EXPECT_GT(dealt[1], 2 * dealt[2]);
  EXPECT_GT(dealt[2], 2 * dealt[3]);
}

TEST(Pieces, ASampleHasNoCopies) {
  std::vector<File> files = tree(50, 1000);
  for (int i = 0; i < 1000; ++i) files.push_back({"copy" + std::to_string(i), 7000});
  int sevens = 0;
  for (const File& file : choose(files, 500'000, 30)) sevens += file.bytes == 7000;
  EXPECT_LE(sevens, 1);
}

TEST(Pieces, FilesTooLargeForASampleAreTakenAsFarAsTheyFit) {
  const std::vector<File> two = choose({{"a", 600}, {"b", 300}, {"c", 400}}, 700, 50);
  ASSERT_EQ(two.size(), 1u);
  EXPECT_EQ(two[0].path, "a");
  const std::vector<File> one = choose({{"a", 600}, {"b", 300}}, 100, 50);
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].path, "b");
  EXPECT_EQ(one[0].bytes, 100u);
}

TEST(Pieces, NothingGivesNothing) {
  EXPECT_TRUE(choose({}, 100, 10).empty());
  EXPECT_TRUE(cut({}, 100).empty());
}

TEST(Pieces, CutCoversEachFileOnceLargestFirst) {
  const std::vector<Piece> pieces = cut({{"a", 10}, {"b", 25}, {"c", 3}}, 10);
  ASSERT_EQ(pieces.size(), 5u);
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    bytes += pieces[i].bytes;
    EXPECT_LE(pieces[i].bytes, pieces[i > 0 ? i - 1 : 0].bytes);
  }
  EXPECT_EQ(bytes, 38u);
}

class ListTest : public testing::Test {
 protected:
  ListTest() {
    std::string pattern = testing::TempDir() + "pieces.XXXXXX";
    root_ = mkdtemp(pattern.data());
  }
  ~ListTest() override { fs::remove_all(root_); }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }
  fs::path root_;
};

TEST_F(ListTest, FindsRegularFilesWithContentInOrder) {
  write("b/c", "three");
  write("a", "1");
  write("empty", "");
  fs::create_symlink("a", root_ / "link");
  fs::create_symlink(".", root_ / "loop");
  mkfifo((root_ / "fifo").c_str(), 0600);
  const Listing listing = list_files({root_.string()});
  ASSERT_EQ(listing.files.size(), 2u);
  EXPECT_EQ(listing.files[0].path, (root_ / "a").string());
  EXPECT_EQ(listing.files[1].bytes, 5u);
  EXPECT_EQ(listing.unreadable, 0u);
}

TEST_F(ListTest, TakesAFileAsItsOwnRoot) {
  write("a", "1");
  EXPECT_EQ(list_files({(root_ / "a").string()}).files.size(), 1u);
}

TEST_F(ListTest, CountsWhatItMayNotRead) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  write("open", "1");
  write("shut", "1");
  write("dir/in", "1");
  fs::permissions(root_ / "shut", fs::perms::none);
  fs::permissions(root_ / "dir", fs::perms::none);
  const Listing listing = list_files({root_.string()});
  fs::permissions(root_ / "dir", fs::perms::owner_all);
  EXPECT_EQ(listing.files.size(), 1u);
  EXPECT_EQ(listing.unreadable, 2u);
}

TEST_F(ListTest, NamesARootThatDoesNotExist) {
  const std::string missing = (root_ / "missing").string();
  try {
    list_files({missing});
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()), "--input: '" + missing + "': No such file or directory");
  }
}

}  // namespace
