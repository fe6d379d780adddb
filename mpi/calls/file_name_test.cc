#include "mpi/calls/file_name.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

namespace roam::mpi {
namespace {

class FileNameTest : public testing::Test {
 protected:
  FileNameTest() {
    char room[] = "/tmp/roam_file_name_XXXXXX";
    descriptor_ = mkstemp(room);
    path_ = room;
    struct stat s = {};
    EXPECT_EQ(fstat(descriptor_, &s), 0);
    name_.is_checked = true;
    name_.device = s.st_dev;
    name_.inode = s.st_ino;
    name_.kernel = this_kernel();
  }
  ~FileNameTest() override {
    close(descriptor_);
    unlink(path_.c_str());
    unlink(other().c_str());
  }
  std::string other() const { return path_ + ".other"; }
  void make_other() const {
    const int made = open(other().c_str(), O_CREAT | O_WRONLY, 0600);
    EXPECT_GE(made, 0);
    close(made);
  }
  bool is_there(const std::string& path) const { return access(path.c_str(), F_OK) == 0; }

  int descriptor_ = -1;
  std::string path_;
  FileName name_;
};

TEST_F(FileNameTest, OneFileIsItselfUnderItsKernel) {
  EXPECT_EQ(compare(name_, descriptor_), Found::kIt);
  ++name_.inode;
  EXPECT_EQ(compare(name_, descriptor_), Found::kOther);
}

// Inodes of two hosts' /tmp have the same numbers.
TEST_F(FileNameTest, AFileOfAnotherKernelsOwnFileSystemIsAnother) {
  if (!is_local(descriptor_)) GTEST_SKIP() << "/tmp may be shared by several kernels";
  name_.kernel ^= 1;
  EXPECT_EQ(compare(name_, descriptor_), Found::kOther);
}

TEST_F(FileNameTest, DevicesAreAlikeUnderAllKernels) {
  const int null = open("/dev/null", O_WRONLY);
  ASSERT_GE(null, 0);
  name_.kernel ^= 1;
  EXPECT_EQ(compare(name_, null), Found::kIt);
  close(null);
}

// That of /proc is of no kind that is known to be one kernel's: the number decides.
TEST_F(FileNameTest, WhereKernelsMayShareFilesTheInodeDecides) {
  const int shared = open("/proc/self/status", O_RDONLY);
  ASSERT_GE(shared, 0);
  EXPECT_FALSE(is_local(shared));
  struct stat s = {};
  ASSERT_EQ(fstat(shared, &s), 0);
  name_.kernel ^= 1;
  name_.inode = s.st_ino;
  EXPECT_EQ(compare(name_, shared), Found::kIt);
  ++name_.inode;
  EXPECT_EQ(compare(name_, shared), Found::kOther);
  close(shared);
}

TEST_F(FileNameTest, ItsNameIsRemoved) {
  EXPECT_EQ(remove_name_of(descriptor_, path_), 0);
  EXPECT_FALSE(is_there(path_));
  EXPECT_EQ(remove_name_of(descriptor_, path_), 0);
}

TEST_F(FileNameTest, ANameThatAnotherFileHasStays) {
  make_other();
  ASSERT_EQ(std::rename(other().c_str(), path_.c_str()), 0);
  EXPECT_EQ(remove_name_of(descriptor_, path_), EEXIST);
  EXPECT_TRUE(is_there(path_));
}

}  // namespace
}  // namespace roam::mpi
