#include "base/os/memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "base/test_bytes.h"

namespace roam::os {
namespace {

constexpr std::size_t kPages = 512;
constexpr Range kRange{0x210000000000, kPages* kPageBytes};

char* at(Range range, std::size_t page = 0) {
  return reinterpret_cast<char*>(range.begin + page * kPageBytes);
}
Range pages(std::size_t first, std::size_t count) {
  return Range{kRange.begin + first * kPageBytes, count * kPageBytes};
}

// A reserved range, private or shared as the parameter says, with access allowed.
class MemoryTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(reserve(kRange));
    if (shared()) {
      fd_ = make_shared(kRange.bytes);
      ASSERT_GE(fd_, 0);
      ASSERT_TRUE(map_shared(kRange, fd_));
    }
    ASSERT_TRUE(allow_access(kRange));
  }
  void TearDown() override {
    fail_after = 0;
    unreserve(kRange);
    if (fd_ >= 0) close(fd_);
  }
  void drop(Range range) const { discard(range, shared(), fd_, offset(range)); }
  static bool shared() { return GetParam(); }
  static std::size_t offset(Range range) { return range.begin - kRange.begin; }

  std::vector<bool> present(Range range) const {
    std::vector<bool> found(range.bytes / kPageBytes);
    Address last_end = 0;
    for_each_present(range, shared(), fd_, offset(range), [&](Range run) {
      EXPECT_GE(run.begin, range.begin);
      EXPECT_LE(run.end(), range.end());
      EXPECT_GT(run.bytes, 0u);
      EXPECT_GT(run.begin, last_end) << "runs are apart and in order";
      last_end = run.end();
      for (Address a = run.begin; a < run.end(); a += kPageBytes) {
        found[(a - range.begin) / kPageBytes] = true;
      }
    });
    return found;
  }
  int fd_ = -1;
};
INSTANTIATE_TEST_SUITE_P(Kinds, MemoryTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Shared" : "Private"; });

TEST(Memory, IsCopiedWhereItIsAndRefusedWhereItIsNot) {
  const Range range = map_memory(2 * kPageBytes);
  ASSERT_NE(range.bytes, 0u);
  char* text = static_cast<char*>(range.pointer());
  std::memcpy(text + kPageBytes - 4, "here", 4);
  ASSERT_EQ(mprotect(Range{range.begin + kPageBytes, kPageBytes}.pointer(), kPageBytes, PROT_NONE),
            0);
  char copy[5] = "";
  EXPECT_TRUE(copy_own(text + kPageBytes - 4, copy, 4));
  EXPECT_STREQ(copy, "here");
  EXPECT_FALSE(copy_own(text + kPageBytes - 2, copy, 4));
  unreserve(range);
  EXPECT_FALSE(copy_own(text, copy, 4));
}

TEST(Reserve, RefusesAndKeepsWhatIsMapped) {
  const Range taken = pages(100, 1);
  ASSERT_EQ(mmap(taken.pointer(), taken.bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
            taken.pointer());
  fill_bytes(taken.pointer(), taken.bytes, 1);
  errno = 0;
  EXPECT_FALSE(reserve(kRange));
  EXPECT_EQ(errno, EEXIST);
  EXPECT_TRUE(holds_bytes(taken.pointer(), taken.bytes, 1));
  munmap(taken.pointer(), taken.bytes);
  EXPECT_TRUE(reserve(kRange));
  EXPECT_FALSE(reserve(pages(10, 1))) << "our own reservation is in the way as any other";
  unreserve(kRange);
  EXPECT_TRUE(reserve(kRange)) << "what is given back can be reserved again";
  unreserve(kRange);
}

TEST(Reserve, TakesFortyEightTebibytesWithoutMemory) {
  const Range arena{0x220000000000, std::size_t{48} << 40};
  ASSERT_TRUE(reserve(arena));
  const int fd = make_shared(arena.bytes);
  ASSERT_GE(fd, 0);
  EXPECT_TRUE(map_shared(arena, fd));
  EXPECT_EQ(shared_bytes(fd), 0u);
  const Range last{arena.end() - kPageBytes, kPageBytes};
  ASSERT_TRUE(allow_access(last));
  *static_cast<volatile char*>(last.pointer()) = 1;
  EXPECT_EQ(shared_bytes(fd), kPageBytes);
  unreserve(arena);
  close(fd);
}

TEST(ReserveDeathTest, WhatIsReservedFaultsUntilAccessIsAllowed) {
  ASSERT_TRUE(reserve(kRange));
  EXPECT_EXIT(*static_cast<volatile char*>(at(kRange)), testing::KilledBySignal(SIGSEGV), "");
  EXPECT_EXIT(*static_cast<volatile char*>(at(kRange)) = 1, testing::KilledBySignal(SIGSEGV), "");
  unreserve(kRange);
}

TEST(SharedMemory, TwoMappingsOfOneObjectAreTheSameMemory) {
  const Range other{kRange.begin + (std::size_t{1} << 30), kRange.bytes};
  const int fd = make_shared(kRange.bytes);
  ASSERT_GE(fd, 0);
  for (const Range& range : {kRange, other}) {
    ASSERT_TRUE(reserve(range) && map_shared(range, fd) && allow_access(range));
  }
  fill_bytes(at(kRange), kRange.bytes, 5);
  EXPECT_TRUE(holds_bytes(at(other), other.bytes, 5));
  EXPECT_EQ(shared_bytes(fd), kRange.bytes);
  discard(pages(0, 256), true, fd, 0);
  EXPECT_TRUE(all_zero(at(other), 256 * kPageBytes)) << "what one drops is gone for all";
  unreserve(kRange);
  unreserve(other);
  close(fd);
  EXPECT_EQ(shared_bytes(-1), 0u);
}

TEST_P(MemoryTest, ReadsZerosFirstAndAfterADiscard) {
  EXPECT_TRUE(all_zero(at(kRange), kRange.bytes));
  fill_bytes(at(kRange), kRange.bytes, 7);
  drop(pages(3, 5));
  drop(Range{kRange.begin, 0});
  std::vector<char> model(kRange.bytes);
  fill_bytes(model.data(), model.size(), 7);
  std::fill_n(model.begin() + 3 * kPageBytes, 5 * kPageBytes, 0);
  EXPECT_EQ(std::memcmp(at(kRange), model.data(), model.size()), 0);
}

TEST_P(MemoryTest, AGuardFaultsAndItsNeighboursDoNot) {
  fill_bytes(at(kRange), kRange.bytes, 11);
  ASSERT_TRUE(guard(pages(4, 2)));
  for (const std::size_t page : {4, 5}) {
    volatile char* guarded = at(kRange, page);
    EXPECT_EXIT(*guarded, testing::KilledBySignal(SIGSEGV), "");
    EXPECT_EXIT(*guarded = 1, testing::KilledBySignal(SIGSEGV), "");
    EXPECT_EXIT(guarded[kPageBytes - 1] = 1, testing::KilledBySignal(SIGSEGV), "");
  }
  std::vector<char> model(kRange.bytes);
  fill_bytes(model.data(), model.size(), 11);
  EXPECT_EQ(std::memcmp(at(kRange), model.data(), 4 * kPageBytes), 0);
  EXPECT_EQ(
      std::memcmp(at(kRange, 6), model.data() + 6 * kPageBytes, kRange.bytes - 6 * kPageBytes), 0);
  unguard(pages(4, 2));
  fill_bytes(at(kRange, 4), 2 * kPageBytes, 12);
  EXPECT_TRUE(holds_bytes(at(kRange, 4), 2 * kPageBytes, 12));
}

TEST_P(MemoryTest, AGuardOutlivesADiscard) {
  ASSERT_TRUE(guard(pages(4, 2)));
  drop(pages(0, 16));
  EXPECT_EXIT(*static_cast<volatile char*>(at(kRange, 5)), testing::KilledBySignal(SIGSEGV), "");
  unguard(pages(4, 2));
  EXPECT_TRUE(all_zero(at(kRange), kRange.bytes));
}

TEST_P(MemoryTest, FindsExactlyThePagesThatExist) {
  std::mt19937_64 random(test_seed());
  std::vector<bool> model(kPages);
  for (int round = 0; round < 200; ++round) {
    const std::size_t page = random() % kPages;
    const std::size_t count = 1 + random() % std::min<std::size_t>(8, kPages - page);
    if (random() % 3 != 0) {
      for (std::size_t i = page; i < page + count; ++i) {
        at(kRange, i)[random() % kPageBytes] = 1;
        model[i] = true;
      }
    } else {
      drop(pages(page, count));
      std::fill_n(model.begin() + static_cast<std::ptrdiff_t>(page), count, false);
    }
    const std::size_t from = random() % kPages;
    const std::size_t size = random() % (kPages - from + 1);
    const auto begin = model.begin() + static_cast<std::ptrdiff_t>(from);
    ASSERT_EQ(present(pages(from, size)),
              std::vector<bool>(begin, begin + static_cast<std::ptrdiff_t>(size)))
        << "round " << round << ", " << size << " pages from " << from;
    ASSERT_EQ(present(kRange), model) << "round " << round;
  }
}

TEST_P(MemoryTest, AGuardedPageDoesNotExist) {
  at(kRange, 2)[0] = 1;
  at(kRange, 9)[0] = 1;
  ASSERT_TRUE(guard(pages(4, 2)));
  const std::vector<bool> found = present(kRange);
  for (std::size_t page = 0; page < kPages; ++page) {
    EXPECT_EQ(found[page], page == 2 || page == 9) << page;
  }
}

TEST_P(MemoryTest, PopulateMakesAllPagesAndKeepsTheirBytes) {
  fill_bytes(at(kRange, 5), kPageBytes, 13);
  ASSERT_TRUE(populate(pages(4, 16), shared(), fd_, 4 * kPageBytes));
  const std::vector<bool> found = present(kRange);
  for (std::size_t page = 0; page < kPages; ++page) {
    EXPECT_EQ(found[page], page >= 4 && page < 20) << page;
  }
  EXPECT_TRUE(holds_bytes(at(kRange, 5), kPageBytes, 13));
  EXPECT_TRUE(all_zero(at(kRange, 6), 14 * kPageBytes));
  if (shared()) {
    EXPECT_EQ(shared_bytes(fd_), 16 * kPageBytes);
  }
}

TEST_P(MemoryTest, TheCallThatIsChosenFailsAndNoOther) {
  const auto populate_one = [&] { return populate(pages(0, 1), shared(), fd_, 0); };
  for (int n = 1; n <= 4; ++n) {
    fail_after = n;
    for (int call = 1; call <= 6; ++call) {
      errno = 0;
      const bool done = call % 2 != 0 ? allow_access(kRange) : populate_one();
      EXPECT_EQ(done, call != n) << "call " << call;
      if (call == n) {
        EXPECT_EQ(errno, ENOMEM);
      }
    }
  }
  EXPECT_EQ(fail_after, 0);
}

// The rest of these tests is run with guards of either kind, by the environment.
const bool guards_chosen = [] {
  if (std::getenv("ROAM_TEST_MPROTECT_GUARDS") != nullptr) set_guards(Guards::kByMprotect);
  return true;
}();

TEST(Guards, CanBeMadeAndTakenAwayAsOftenAsWanted) {
  ASSERT_TRUE(reserve(kRange) && allow_access(kRange));
  for (int round = 0; round < 100; ++round) {
    for (std::size_t page = 0; page < kPages; page += 2) ASSERT_TRUE(guard(pages(page, 1)));
    for (std::size_t page = 0; page < kPages; page += 2) unguard(pages(page, 1));
  }
  fill_bytes(at(kRange), kRange.bytes, 15);
  EXPECT_TRUE(holds_bytes(at(kRange), kRange.bytes, 15));
  unreserve(kRange);
}

TEST(Guards, ByMprotectHaveALimitThatLeavesRoomForOtherMappings) {
  const Range many{kRange.begin, 2 * (kMprotectGuards + 10) * kPageBytes};
  const Guards before = guards();
  ASSERT_TRUE(reserve(many) && allow_access(many) && set_guards(Guards::kByMprotect));
  int laid = 0;
  while (laid < kMprotectGuards + 10 && guard(pages(2 * static_cast<std::size_t>(laid), 1))) ++laid;
  EXPECT_EQ(laid, kMprotectGuards);
  EXPECT_TRUE(guard(pages(1, 1))) << "joins two";
  unguard(Range{many.begin, many.bytes});
  fill_bytes(at(kRange), kRange.bytes, 16);
  unreserve(many);
  set_guards(before);
}

// This program's own file, in so many places.
TEST(ResidentBytes, AreThoseOfMemoryAndNotOfFilesThatAreMapped) {
  constexpr std::size_t kTimes = 200;
  const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  struct stat about;
  ASSERT_TRUE(fd >= 0 && fstat(fd, &about) == 0);
  const std::size_t bytes = round_down(static_cast<std::size_t>(about.st_size), kPageBytes);
  ASSERT_GT(bytes * kTimes, 16u << 20);
  const std::size_t before = resident_bytes();
  ASSERT_GT(before, 0u);
  for (std::size_t i = 0; i < kTimes; ++i) {
    void* at = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    ASSERT_NE(at, MAP_FAILED);
  }
  EXPECT_LT(resident_bytes(), before + (8 << 20));
  close(fd);
  ASSERT_TRUE(reserve(kRange) && allow_access(kRange));
  fill_bytes(at(kRange), kRange.bytes, 18);
  EXPECT_GE(resident_bytes() + (1 << 20), before + kRange.bytes);
  unreserve(kRange);
}

TEST(Guards, CanBeSwitchedOff) {
  const Guards before = guards();
  ASSERT_TRUE(reserve(kRange) && allow_access(kRange) && set_guards(Guards::kNone));
  EXPECT_FALSE(guard(pages(4, 2)));
  fill_bytes(at(kRange), kRange.bytes, 17);
  unguard(pages(4, 2));
  EXPECT_TRUE(holds_bytes(at(kRange), kRange.bytes, 17));
  unreserve(kRange);
  set_guards(before);
}

}  // namespace
}  // namespace roam::os
