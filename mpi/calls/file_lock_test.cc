#include "mpi/calls/file_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <mpi.h>
#include <unistd.h>

#include <cerrno>

#include "mpi/calls/call_error.h"

namespace roam::mpi {
namespace {

constexpr long kShort = 5'000'000;

// Two descriptions of one file are to locks what two processes are.
class FileLockTest : public testing::Test {
 protected:
  FileLockTest() {
    char room[] = "/tmp/roam_file_lock_XXXXXX";
    ours_ = mkstemp(room);
    theirs_ = open(room, O_RDWR);
    EXPECT_GE(theirs_, 0);
    unlink(room);
  }
  ~FileLockTest() override {
    close(ours_);
    close(theirs_);
  }
  // The class of the error, or 0.
  int error_of(int descriptor, bool for_writing) const {
    FileLock lock(kShort);
    try {
      EXPECT_TRUE(lock.take_if_any(descriptor, for_writing, 0, 10, "it"));
    } catch (const CallError& failure) {
      return failure.code;
    }
    return 0;
  }

  int ours_ = -1, theirs_ = -1;
};

// It is not as if there were no locks: who goes on without would undo what the other one does.
TEST_F(FileLockTest, WhoDoesNotGetALockThatAnotherHasIsTold) {
  FileLock other(kShort);
  ASSERT_EQ(other.take(theirs_, true, 5, 10), 0);
  FileLock lock(kShort);
  EXPECT_EQ(lock.take(ours_, true, 0, 10), EBUSY);
  EXPECT_EQ(lock.take(ours_, true, 0, 5), 0);
  EXPECT_EQ(error_of(ours_, true), MPI_ERR_FILE_IN_USE);
  EXPECT_EQ(error_of(ours_, false), MPI_ERR_FILE_IN_USE);
}

TEST_F(FileLockTest, ALockIsThereAgainWhenItWasGivenBack) {
  {
    FileLock other(kShort);
    ASSERT_EQ(other.take(theirs_, true, 0, 10), 0);
  }
  EXPECT_EQ(error_of(ours_, true), 0);
}

TEST_F(FileLockTest, WhereThereAreNoLocksOneGoesOnWithout) {
  FileLock lock(kShort);
  EXPECT_FALSE(lock.take_if_any(ours_, true, -1, 10, "it"));  // EINVAL, as of some file systems
}

TEST_F(FileLockTest, OtherFailuresAreTold) { EXPECT_EQ(error_of(-1, true), MPI_ERR_IO); }

}  // namespace
}  // namespace roam::mpi
