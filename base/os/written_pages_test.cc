#include "base/os/written_pages.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "base/os/memory.h"
#include "base/os/page_scan.h"

namespace roam::os {
namespace {

constexpr std::size_t kPages = 20'000;  // more than one call of the kernel can say, if each second
constexpr Range kWhole{0x210000000000, std::size_t{64} << 40 >> 3};
constexpr Range kRange{kWhole.begin + (std::size_t{3} << 40), kPages* kPageBytes};

// Memory with access in the midst of a large range, private or shared as the parameter says.
class WrittenPagesTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(reserve(kWhole));
    if (GetParam()) {
      fd_ = make_shared(kWhole.bytes);
      ASSERT_TRUE(map_shared(kWhole, fd_));
    } else {
      ASSERT_TRUE(map_private(kWhole));
    }
    ASSERT_TRUE(allow_access(kRange));
    if (!pages_.begin(kWhole, GetParam()))
      GTEST_SKIP() << "this kernel does not tell which pages are written";
  }
  void TearDown() override {
    pages_.end();
    unreserve(kWhole);
    if (fd_ >= 0) close(fd_);
  }
  static char* at(std::size_t page) {
    return reinterpret_cast<char*>(kRange.begin + page * kPageBytes);
  }
  static std::vector<bool> marks(const std::vector<Range>& ranges) {
    std::vector<bool> found(kPages);
    for (const Range& range : ranges) {
      EXPECT_TRUE(kRange.contains(range.begin) && range.end() <= kRange.end());
      for (Address a = range.begin; a < range.end(); a += kPageBytes)
        found[(a - kRange.begin) / kPageBytes] = true;
    }
    return found;
  }
  void protect() {
    std::vector<Range> clean, written;
    ASSERT_TRUE(pages_.protect(&clean, &written));
    clean_ = marks(clean);
    written_ = marks(written);
  }
  // How many are clean, and not said to be written.
  std::size_t clean_count() const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < kPages; ++i) count += clean_[i] && !written_[i];
    return count;
  }

  int fd_ = -1;
  WrittenPages pages_;
  std::vector<bool> clean_, written_;
};
INSTANTIATE_TEST_SUITE_P(Kinds, WrittenPagesTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Shared" : "Private"; });

// What is gone from page tables may have been written: a huge page that is taken down, because a
// part of it is thrown away, leaves nothing there.
TEST_P(WrittenPagesTest, AHugePageThatIsTakenDownIsNotClean) {
  if (!GetParam() || !shared_pages_may_be_huge())
    GTEST_SKIP() << "shared memory is not of huge pages";
  constexpr std::size_t kHugeBytes = 2 << 20, kInHuge = kHugeBytes / kPageBytes;
  madvise(at(0), kRange.bytes, MADV_HUGEPAGE);
  std::memset(at(0), 1, kRange.bytes);
  WrittenPages alone;
  pages_.end();
  ASSERT_TRUE(alone.begin(kWhole, false));
  std::vector<Range> clean, written;
  ASSERT_TRUE(alone.protect(&clean, &written) && alone.protect(&clean, &written));
  const std::size_t huge = kPages / kInHuge / 2 * kInHuge;  // the first page of one
  at(huge + kInHuge / 2)[0] = 2;
  const Address thrown = reinterpret_cast<Address>(at(huge));
  discard({thrown, kPageBytes}, true, fd_, thrown - kWhole.begin);
  ASSERT_TRUE(alone.protect(&clean, &written));
  EXPECT_FALSE(marks(clean)[huge + kInHuge / 2] && !marks(written)[huge + kInHuge / 2]);
}

TEST_P(WrittenPagesTest, EachSecondPageIsFound) {
  std::memset(at(0), 1, kRange.bytes);
  protect();
  EXPECT_EQ(clean_count(), 0u) << "all are new";
  for (std::size_t i = 0; i < kPages; i += 2) at(i)[7] = 2;
  protect();
  for (std::size_t i = 0; i < kPages; ++i) {
    ASSERT_EQ(written_[i], i % 2 == 0) << i;
    ASSERT_TRUE(clean_[i] || i % 2 == 0) << i;
  }
  protect();
  EXPECT_EQ(clean_count(), kPages);
}

TEST_P(WrittenPagesTest, WhatTheKernelWritesIsSeenAndWhatIsReadIsNot) {
  std::memset(at(0), 1, kRange.bytes);
  protect();
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], at(3), 100), 100);
  ASSERT_EQ(read(ends[0], at(5), 100), 100);
  close(ends[0]);
  close(ends[1]);
  protect();
  EXPECT_TRUE(written_[5] && !written_[3] && clean_[3]);
  EXPECT_EQ(clean_count(), kPages - 1);
}

TEST_P(WrittenPagesTest, PagesThatWereThrownAwayAreNotClean) {
  std::memset(at(0), 1, kRange.bytes);
  protect();
  discard({kRange.begin, 10 * kPageBytes}, GetParam(), fd_, kRange.begin - kWhole.begin);
  EXPECT_EQ(at(2)[0], 0);
  at(4)[0] = 1;
  protect();
  for (std::size_t i = 0; i < 10; ++i) ASSERT_FALSE(clean_[i] && !written_[i]) << i;
  EXPECT_EQ(clean_count(), kPages - 10);
}

TEST_P(WrittenPagesTest, WatchedPagesCanBeGuarded) {
  std::memset(at(0), 1, kRange.bytes);
  protect();
  // Written, protected, thrown away: whatever state it is in.
  at(2)[0] = 1;
  discard({kRange.begin + 4 * kPageBytes, kPageBytes}, GetParam(), fd_,
          kRange.begin - kWhole.begin + 4 * kPageBytes);
  const Range guarded{kRange.begin, 8 * kPageBytes};
  ASSERT_TRUE(guard(guarded));
  protect();
  unguard(guarded);
  for (std::size_t i = 0; i < 8; ++i) at(i)[0] = 3;
  protect();
  for (std::size_t i = 0; i < 8; ++i) ASSERT_TRUE(written_[i] || !clean_[i]) << i;
  EXPECT_EQ(clean_count(), kPages - 8);
}

// Linux 6.18 does not come to an end where a guard is laid on a page that is protected just then.
TEST_P(WrittenPagesTest, GuardsAreLaidWhilePagesAreProtected) {
  std::memset(at(0), 1, kRange.bytes);
  protect();
  std::atomic<bool> end = false;
  std::atomic<int> laid = 0;
  std::thread other([&] {
    while (!end) {
      for (std::size_t i = 0; i < 64; ++i) {
        const Range guarded{kRange.begin + i * 16 * kPageBytes, 4 * kPageBytes};
        if (guard(guarded)) ++laid;
        unguard(guarded);
        at(i * 16)[0] = 1;
      }
    }
  });
  while (laid == 0) std::this_thread::yield();
  for (int round = 0; round < 50; ++round) {
    for (std::size_t i = 0; i < kPages; i += 16) at(i + 8)[0] = static_cast<char>(round);
    protect();
  }
  end = true;
  other.join();
}

// What a process has written, and what is then taken from it, the kernel does not tell.
TEST_P(WrittenPagesTest, WhatIsNotedCountsAsWritten) {
  std::memset(at(0), 1, kRange.bytes);
  protect();
  const Range taken{kRange.begin, 10 * kPageBytes};
  at(3)[0] = 2;
  note_discarded(taken);
  note_discarded({kRange.begin, 0});
  ASSERT_EQ(madvise(taken.pointer(), taken.bytes, MADV_DONTNEED), 0);
  note_discarded(taken);
  protect();
  for (std::size_t i = 0; i < 10; ++i) ASSERT_TRUE(written_[i]) << i;
  EXPECT_EQ(clean_count(), kPages - 10);
}

// More than there is room to note: memory of one process is looked at page by page then.
TEST_P(WrittenPagesTest, MuchMayBeThrownAwayInPrivateMemory) {
  std::memset(at(0), 1, kRange.bytes);
  protect();
  at(20)[0] = 2;
  for (int i = 0; i < 40'000; ++i) {
    const Range page{kRange.begin + static_cast<std::size_t>(i % 10) * kPageBytes, kPageBytes};
    discard(page, GetParam(), fd_, page.begin - kWhole.begin);
    if (i % 10 == 4) at(4)[0] = 1;
  }
  // Of all of it what happened last: not noted, there is no room for it.
  discard({kRange.begin + 100 * kPageBytes, 10 * kPageBytes}, GetParam(), fd_,
          kRange.begin + 100 * kPageBytes - kWhole.begin);
  at(105)[0] = 1;
  std::vector<Range> clean, written;
  ASSERT_EQ(pages_.protect(&clean, &written), !GetParam());
  if (GetParam()) return;
  clean_ = marks(clean);
  written_ = marks(written);
  EXPECT_TRUE(written_[20] && written_[105]);
  for (std::size_t i : {0, 4, 9, 20, 100, 105, 109}) EXPECT_FALSE(clean_[i] && !written_[i]) << i;
  EXPECT_EQ(clean_count(), kPages - 10 - 1 - 10);
  const std::vector<bool> there = marks(pages_.present());
  for (std::size_t i = 100; i < 110; ++i) EXPECT_EQ(there[i], i == 105) << i;
  protect();
  EXPECT_TRUE(clean_[20] && clean_[105] && !clean_[100]);
}

// What is not looked at in that look is not known to be there any more.
TEST_P(WrittenPagesTest, MuchMayBeThrownAwayBesideTheParts) {
  if (GetParam()) GTEST_SKIP() << "then nothing is known";
  std::memset(at(0), 1, kRange.bytes);
  protect();
  const Range part{kRange.begin, 5000 * kPageBytes}, other{part.end(), 5000 * kPageBytes};
  const Range thrown{other.begin + 1000 * kPageBytes, kPageBytes};
  for (int i = 0; i < 40'000; ++i) discard({part.begin, kPageBytes}, false);
  discard(thrown, false);
  std::vector<Range> clean, written;
  ASSERT_TRUE(pages_.protect_parts({part}, &clean, &written));
  ASSERT_TRUE(pages_.protect_parts({part, other}, &clean, &written));
  EXPECT_FALSE(marks(clean)[6000]);
  EXPECT_FALSE(marks(pages_.present())[6000]);
  EXPECT_TRUE(marks(clean)[6001] && marks(clean)[4999]);
}

// Kernel threads that throw memory away while the watch ends and begins.
TEST_P(WrittenPagesTest, TheWatchEndsWhileMemoryIsThrownAway) {
  std::memset(at(0), 1, kRange.bytes);
  std::atomic<bool> end = false;
  std::thread other([&] {
    while (!end) note_discarded({kRange.begin, kPageBytes});
  });
  for (int round = 0; round < 100; ++round) {
    pages_.end();
    ASSERT_TRUE(pages_.begin(kWhole, GetParam()));
  }
  end = true;
  other.join();
  protect();
  protect();
  EXPECT_EQ(clean_count(), kPages);
}

TEST_P(WrittenPagesTest, WhatIsMappedAnewIsWrittenOnce) {
  std::memset(at(0), 1, kRange.bytes);
  protect();
  const Range middle{kRange.begin + 100 * kPageBytes, 50 * kPageBytes};
  if (!GetParam()) {
    ASSERT_TRUE(map_private(middle));
    ASSERT_TRUE(allow_access(middle));
    std::memset(middle.pointer(), 5, middle.bytes);
    protect();
    EXPECT_EQ(clean_count(), kPages - 50);
    for (std::size_t i = 100; i < 150; ++i) ASSERT_TRUE(written_[i]) << i;
    protect();
    EXPECT_EQ(clean_count(), kPages) << "they are watched, and protected";
  }
}

}  // namespace
}  // namespace roam::os
