#include "base/os/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace roam::os {
namespace {

namespace fs = std::filesystem;

class File : public testing::Test {
 protected:
  File() {
    std::string name = testing::TempDir() + "/file_test.XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~File() override { fs::remove_all(folder_); }
  std::string path(const char* name) const { return (folder_ / name).string(); }
  static std::string contents(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::size_t files() const {
    std::size_t n = 0;
    for (const auto& entry : fs::directory_iterator(folder_)) n += entry.exists();
    return n;
  }

  fs::path folder_;
};

TEST_F(File, TakesItsPlaceWhenItIsKept) {
  std::ofstream(path("f")) << "older";
  WholeFile file;
  ASSERT_TRUE(file.open(path("f"))) << file.error();
  EXPECT_TRUE(file.write("new", 3));
  EXPECT_EQ(contents(path("f")), "older");
  EXPECT_TRUE(file.keep());
  EXPECT_EQ(contents(path("f")), "new");
  EXPECT_EQ(file.bytes(), 3u);
  EXPECT_EQ(files(), 1u);
}

TEST_F(File, ThatIsNotKeptLeavesNothing) {
  {
    WholeFile file;
    ASSERT_TRUE(file.open(path("f")));
    EXPECT_EQ(files(), 0u);
    EXPECT_TRUE(file.write("half", 4));
  }
  EXPECT_EQ(files(), 0u);
}

// Each open descriptor has a lock of its own, as each process would.
TEST_F(File, ThatTwoWriteAtOnceIsWholeOfOne) {
  WholeFile first, second, third;
  ASSERT_TRUE(first.open(path("f")) && second.open(path("f")) && third.open(path("f")));
  EXPECT_TRUE(first.write("fir", 3));
  EXPECT_TRUE(second.write("second", 6));
  EXPECT_TRUE(third.write("thi", 3));
  EXPECT_EQ(files(), 3u);
  EXPECT_TRUE(first.write("st", 2));
  EXPECT_TRUE(first.keep());
  EXPECT_EQ(contents(path("f")), "first");
  EXPECT_TRUE(third.write("rd", 2));
  EXPECT_TRUE(third.keep());
  EXPECT_EQ(contents(path("f")), "third");
  EXPECT_TRUE(second.keep()) << second.error();
  EXPECT_EQ(contents(path("f")), "second");
  EXPECT_EQ(files(), 1u);
}

TEST_F(File, ThatAKilledProcessLeftInPartIsWrittenAnew) {
  std::ofstream(path("f.part")) << "much that was left";
  WholeFile file;
  ASSERT_TRUE(file.open(path("f")));
  EXPECT_TRUE(file.write("new", 3));
  EXPECT_TRUE(file.keep());
  EXPECT_EQ(contents(path("f")), "new");
  EXPECT_EQ(files(), 1u);
}

TEST_F(File, WithoutAByteIsKeptToo) {
  WholeFile file;
  ASSERT_TRUE(file.open(path("f")));
  EXPECT_TRUE(file.keep());
  EXPECT_EQ(fs::file_size(path("f")), 0u);
}

TEST_F(File, ThatCannotBeWrittenSaysWhy) {
  WholeFile no_folder, folder;
  EXPECT_FALSE(no_folder.open(path("none/f")));
  EXPECT_NE(no_folder.error().find("No such file or directory"), std::string::npos);
  EXPECT_FALSE(folder.open(folder_.string()));
  EXPECT_NE(folder.error().find("Is a directory"), std::string::npos);
  EXPECT_FALSE(folder.write("x", 1));
  EXPECT_FALSE(folder.keep());
}

TEST_F(File, OnAFullDiscFailsOnceAndSaysWhy) {
  WholeFile file;
  ASSERT_TRUE(file.open("/dev/full"));
  EXPECT_FALSE(file.write("x", 1));
  EXPECT_FALSE(file.write("y", 1));
  EXPECT_FALSE(file.keep());
  EXPECT_NE(file.error().find("No space left on device"), std::string::npos) << file.error();
}

TEST_F(File, ThatIsADeviceIsWrittenAsItIs) {
  WholeFile file;
  ASSERT_TRUE(file.open("/dev/null"));
  EXPECT_TRUE(file.write("x", 1));
  EXPECT_TRUE(file.keep());
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(File, WithoutANameKeepsWhatIsAppended) {
  const char* old = std::getenv("TMPDIR");
  const std::string saved = old != nullptr ? old : "";
  setenv("TMPDIR", folder_.c_str(), 1);
  ScratchFile file;
  EXPECT_FALSE(file.append("x", 1));
  ASSERT_TRUE(file.open());
  EXPECT_TRUE(file.append("hello ", 6));
  EXPECT_TRUE(file.append("world", 5));
  char all[16] = {};
  EXPECT_EQ(file.read(0, all, sizeof all), 11u);
  EXPECT_STREQ(all, "hello world");
  EXPECT_EQ(file.read(6, all, 3), 3u);
  EXPECT_EQ(std::string(all, 3), "wor");
  EXPECT_EQ(files(), 0u);
  if (old != nullptr) setenv("TMPDIR", saved.c_str(), 1);
}

}  // namespace
}  // namespace roam::os
