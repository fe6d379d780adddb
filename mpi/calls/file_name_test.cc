#include "mpi/calls/file_name.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
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
  }
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

}  // namespace
}  // namespace roam::mpi
