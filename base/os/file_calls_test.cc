#include "base/os/file_calls.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace roam::os {
namespace {

class FileCallsTest : public testing::Test {
 protected:
  FileCallsTest() {
    std::string name = testing::TempDir() + "calls.XXXXXX";
    folder_ = mkdtemp(name.data());
    path_ = folder_ + "/file";
  }
  ~FileCallsTest() override {
    fail_file_call_after = 0;
    fail_by_half = false;
    unlink(path_.c_str());
    rmdir(folder_.c_str());
  }
  std::string folder_, path_;
};

TEST_F(FileCallsTest, TheCallWhoseTurnItIsFails) {
  fail_file_call_after = 2;
  const int fd = open_file(path_, O_RDWR | O_CREAT | O_EXCL, 0600);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(sync_file(fd), -1);
  EXPECT_EQ(errno, EIO);
  EXPECT_EQ(sync_file(fd), 0) << "only once";
  char byte = 'x';
  const iovec part{&byte, 1};
  fail_file_call_after = 1;
  EXPECT_EQ(write_parts(fd, &part, 1, 0), -1);
  EXPECT_EQ(errno, ENOSPC);
  fail_file_call_after = 1;
  EXPECT_EQ(rename_file(path_, path_ + "x"), -1);
  EXPECT_EQ(access(path_.c_str(), F_OK), 0) << "nothing was done";
  fail_file_call_after = 1;
  EXPECT_EQ(close_file_of(fd), -1);
  EXPECT_EQ(fcntl(fd, F_GETFD), -1) << "closed all the same";
}

TEST_F(FileCallsTest, AHalfIsWrittenAndRead) {
  const int fd = open_file(path_, O_RDWR | O_CREAT, 0600);
  char first[6] = "abcde", second[4] = "fgh";
  const iovec parts[] = {{first, 5}, {second, 3}};
  EXPECT_EQ(write_parts(fd, parts, 2, 0), 8);
  fail_by_half = true;
  fail_file_call_after = 1;
  std::memset(first, '-', 5);
  EXPECT_EQ(read_parts(fd, parts, 2, 0), 4);
  EXPECT_STREQ(first, "abcd-");
  fail_file_call_after = 1;
  EXPECT_EQ(write_parts(fd, parts, 2, 4), 4);
  struct stat file {};
  ASSERT_EQ(fstat(fd, &file), 0);
  EXPECT_EQ(file.st_size, 8);
  close_file_of(fd);
}

TEST_F(FileCallsTest, AllOfItIsWrittenAndReadThoughACallDoesAHalf) {
  const int fd = open_file(path_, O_RDWR | O_CREAT, 0600);
  fail_by_half = true;
  fail_file_call_after = 1;
  EXPECT_TRUE(write_all(fd, "abcdefg", 7, 2));
  EXPECT_EQ(fail_file_call_after, 0);
  char bytes[8] = "";
  fail_file_call_after = 1;
  EXPECT_TRUE(read_all(fd, bytes, 7, 2));
  EXPECT_STREQ(bytes, "abcdefg");
  EXPECT_TRUE(read_all(fd, bytes, 0, 100));
  errno = 0;
  EXPECT_FALSE(read_all(fd, bytes, 8, 2)) << "the file ends before";
  EXPECT_EQ(errno, EIO);
  fail_by_half = false;
  fail_file_call_after = 1;
  EXPECT_FALSE(write_all(fd, "x", 1, 0));
  EXPECT_EQ(errno, ENOSPC);
  close_file_of(fd);
  EXPECT_FALSE(write_all(fd, "x", 1, 0));
  EXPECT_EQ(errno, EBADF);
}

TEST_F(FileCallsTest, FoldersAreListedInOrder) {
  close_file_of(open_file(path_, O_WRONLY | O_CREAT, 0600));
  ASSERT_EQ(make_folder(folder_ + "/a", 0700), 0);
  std::vector<std::string> names;
  EXPECT_TRUE(list_folder(folder_, &names));
  EXPECT_EQ(names, (std::vector<std::string>{"a", "file"}));
  EXPECT_EQ(remove_folder(folder_ + "/a"), 0);
  EXPECT_FALSE(list_folder(folder_ + "/a", &names));
  EXPECT_EQ(errno, ENOENT);
}

TEST_F(FileCallsTest, ALockIsOfWhoOpenedIt) {
  const int mine = open_file(folder_, O_RDONLY | O_DIRECTORY);
  const int other = open_file(folder_, O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(lock_file(mine), 0);
  EXPECT_EQ(lock_file(other), -1);
  EXPECT_EQ(errno, EWOULDBLOCK);
  close_file_of(mine);
  EXPECT_EQ(lock_file(other), 0);
  close_file_of(other);
}

}  // namespace
}  // namespace roam::os
