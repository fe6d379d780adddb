// Images that are not what was written are refused, and nothing of them is left.
#include "runtime/image/check_image.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/os/memory.h"
#include "isomalloc/heap.h"
#include "runtime/image/test_image.h"
#include "threads/scheduler.h"

namespace roam::runtime {
namespace {

using threads::scheduler;

// Bytes that end where memory ends: reading one more faults.
class AtTheEdge {
 public:
  explicit AtTheEdge(std::size_t most) : bytes_(round_up(most, kPageBytes) + kPageBytes) {
    memory_ = static_cast<char*>(
        mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(memory_ + bytes_ - kPageBytes, kPageBytes, PROT_NONE);
  }
  ~AtTheEdge() { munmap(memory_, bytes_); }
  AtTheEdge(const AtTheEdge&) = delete;
  AtTheEdge& operator=(const AtTheEdge&) = delete;
  MemorySource source(const char* from, std::size_t bytes) {
    char* at = memory_ + bytes_ - kPageBytes - bytes;
    std::memcpy(at, from, bytes);
    return MemorySource(at, bytes);
  }

 private:
  std::size_t bytes_;
  char* memory_;
};

// An ImageSource whose nth run cannot be read.
class FailingSource {
 public:
  FailingSource(const std::vector<char>& bytes, std::size_t run)
      : source_(bytes.data(), bytes.size()), runs_left_(run) {}
  std::size_t left() const { return source_.left(); }
  bool copy(void* to, std::size_t bytes) { return source_.copy(to, bytes); }
  bool memory(Range run) { return runs_left_-- != 0 && source_.memory(run); }

 private:
  MemorySource source_;
  std::size_t runs_left_;
};

template <class Source>
bool read(Source source, ImageRefusal* refusal) {
  ImageHead head;
  Image image;
  bool returns;
  *refusal = {};
  if (!read_image(source, &head, &image, &returns, refusal)) return false;
  give_up(image);
  return true;
}
bool read(const std::vector<char>& bytes, ImageRefusal* refusal) {
  return read(MemorySource(bytes.data(), bytes.size()), refusal);
}

class CheckImageTest : public testing::Test {
 protected:
  // Runs `look` with the image of a suspended thread, which is still here; it goes on from its
  // image afterwards, unless `look` has left it here.
  static void with_image(std::size_t block_bytes, std::function<void(StoredImage&)> look) {
    threads::TestThreads threads;
    threads.on_depart = [&](Tcb* t, int) {
      StoredImage stored(t);
      const StoredImage good = stored;
      look(stored);
      if (good.is_here()) {
        reopen(t);
      } else {
        EXPECT_EQ(good.land_here(), t);
      }
      scheduler().resume_arrived(t);
    };
    bool ended = false;
    threads.spawn([&] {
      Tcb* self = scheduler().current();
      char* block = static_cast<char*>(self->heap.allocate(block_bytes));
      std::memset(block, 0x5a, block_bytes);
      scheduler().depart_current(threads::TestThreads::kRank + 1);
      EXPECT_EQ(block[0], 0x5a);
      EXPECT_EQ(block[block_bytes - 1], 0x5a);
      self->heap.free(block);
      ended = true;
    });
    threads.run();
    EXPECT_TRUE(ended);
  }
  static void with_removed(std::size_t block_bytes, std::function<void(StoredImage&)> look) {
    with_image(block_bytes, [&](StoredImage& stored) {
      stored.remove();
      look(stored);
      EXPECT_FALSE(stored.is_here()) << "something of it was left";
    });
  }
  // That of the bytes with one changed.
  template <class Value>
  static std::string why_not(const StoredImage& stored, std::size_t offset, Value value) {
    std::vector<char> bytes = stored.bytes;
    std::memcpy(bytes.data() + offset, &value, sizeof value);
    ImageRefusal refusal;
    EXPECT_FALSE(read(bytes, &refusal));
    EXPECT_EQ(refusal.code, Errc::corrupt_image);
    return refusal.why;
  }
};

constexpr std::size_t kSmall = 1000, kLarge = 1 << 20;

TEST_F(CheckImageTest, OtherVersionsAreRefusedByNumber) {
  with_removed(kSmall, [](StoredImage& stored) {
    for (const std::uint32_t version : {0u, 2u, 0x01000000u, ~0u}) {
      EXPECT_EQ(
          why_not(stored, offsetof(ImageHead, version), version),
          "the image has version " + std::to_string(version) + "; this program reads version 1");
    }
  });
}

TEST_F(CheckImageTest, OneThatIsCutOffAnywhereIsRefusedBeforeAnythingIsClaimed) {
  with_removed(kSmall, [](StoredImage& stored) {
    AtTheEdge edge(stored.bytes.size());
    for (std::size_t bytes = 0; bytes < stored.bytes.size(); ++bytes) {
      ImageRefusal refusal;
      ASSERT_FALSE(read(edge.source(stored.bytes.data(), bytes), &refusal)) << bytes;
      ASSERT_EQ(refusal.code, Errc::corrupt_image);
      ASSERT_NE(refusal.why.find("the image is cut off"), std::string::npos) << refusal.why;
      ASSERT_FALSE(stored.is_here());
    }
    ImageRefusal refusal;
    EXPECT_TRUE(read(edge.source(stored.bytes.data(), stored.bytes.size()), &refusal));
  });
}

TEST_F(CheckImageTest, LengthsAndCountsAreRefusedWithTheirValues) {
  with_removed(kSmall, [](StoredImage& stored) {
    const std::size_t mark = sizeof(ImageHead);
    const std::size_t run = mark + 2 * sizeof(Mark);
    ASSERT_EQ(stored.image.marks.size(), 2u);
    ASSERT_EQ(stored.image.runs.size(), 2u);
    const auto has = [](const std::string& why, const char* part) {
      EXPECT_NE(why.find(part), std::string::npos) << why;
    };
    has(why_not(stored, offsetof(ImageHead, marks), ~0u), "4294967295 marks and 2 runs");
    has(why_not(stored, offsetof(ImageHead, runs), ~0u), "2 marks and 4294967295 runs");
    has(why_not(stored, offsetof(ImageHead, marks), 0u), "0 marks; the least is 1");
    has(why_not(stored, offsetof(ImageHead, what), 3u), "of kind 3; there are 1");
    has(why_not(stored, offsetof(ImageHead, bytes), std::uint64_t{17}), "says 17 bytes");
    has(why_not(stored, offsetof(ImageHead, control), std::uint64_t{0x1000}), "at 0x1000; in its");
    has(why_not(stored, offsetof(ImageHead, id), std::uint64_t{99}), "of thread 99");
    has(why_not(stored, mark + offsetof(Mark, kind), 3u), "mark 0 of the image is of kind 3");
    has(why_not(stored, mark + sizeof(Mark) + offsetof(Mark, kind), 9u), "mark 1 of the image");
    has(why_not(stored, mark + sizeof(Mark) + offsetof(Mark, padding), 1u), "has 1 where 0");
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{0xfff}, ~std::size_t{0},
                                    std::size_t{1} << 46, ~std::size_t{0} << 16}) {
      has(why_not(stored, mark + 8, bytes), "mark 0 of the image");
      has(why_not(stored, mark, bytes), "mark 0 of the image");
    }
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{1} << 20, ~std::size_t{0}})
      has(why_not(stored, run + 8, bytes), "run 0 of the image");
    // In the guard of the stack, which is there to fault.
    has(why_not(stored, run, stored.image.marks[0].range.begin + kPageBytes), "run 0 of the image");
    has(why_not(stored, run, Address{0x1000}), "without the control block");
    has(why_not(stored, run + sizeof(Range), Address{0x1000}), "without the head of the span");
  });
}

// Only how long it still sleeps can be anything.
TEST_F(CheckImageTest, EachBitOfHeadAndListsCounts) {
  with_removed(kSmall, [](StoredImage& stored) {
    const std::size_t lists = lists_bytes(stored.image);
    for (std::size_t bit = 0; bit < 8 * lists; ++bit) {
      if (bit / 8 - offsetof(ImageHead, sleep_left_ns) < sizeof(std::int64_t)) continue;
      std::vector<char> bytes = stored.bytes;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
      ImageRefusal refusal;
      EXPECT_FALSE(read(bytes, &refusal)) << "bit " << bit % 8 << " of byte " << bit / 8;
      EXPECT_FALSE(refusal.why.empty());
      ASSERT_FALSE(stored.is_here());
    }
  });
}

TEST_F(CheckImageTest, WhatLivesHereIsNotWrittenOver) {
  with_image(kSmall, [](StoredImage& stored) {
    ImageRefusal refusal;
    EXPECT_FALSE(read(stored.bytes, &refusal));
    EXPECT_EQ(refusal.code, Errc::address_in_use);
    EXPECT_NE(refusal.why.find("something lives here"), std::string::npos) << refusal.why;
    // A part of it: what could be claimed before is given up.
    const Range slot = stored.image.marks[0].range;
    iso::arena().units().unmark(slot);
    EXPECT_FALSE(read(stored.bytes, &refusal));
    EXPECT_EQ(refusal.code, Errc::address_in_use);
    EXPECT_EQ(iso::arena().units().kind(slot.begin), iso::UnitKind::kNone);
    stored.remove();
  });
}

TEST_F(CheckImageTest, MarksThatOverlapAreRefused) {
  with_image(kSmall, [](StoredImage& stored) {
    const StoredImage good = stored;
    std::vector<Mark>& marks = stored.image.marks;
    std::vector<Range>& runs = stored.image.runs;
    // The unit behind the span's, and then both.
    const Range unit{marks[1].range.end(), iso::kUnitBytes};
    ASSERT_TRUE(iso::arena().leases().open(unit));
    marks[1].range.bytes += unit.bytes;
    marks.insert(marks.begin() + 1, Mark{unit, kSpanMark, 0});
    runs.insert(runs.begin() + 1,
                Range{reinterpret_cast<Address>(iso::Span::at(unit.begin)), sizeof(iso::Span)});
    stored.image.bytes += sizeof(iso::Span);
    stored.head = head_of(*stored.head.control, ImageOf::kThread, stored.image);
    stored.write();
    good.remove();
    ImageRefusal refusal;
    EXPECT_FALSE(read(stored.bytes, &refusal));
    EXPECT_EQ(refusal.code, Errc::address_in_use) << refusal.why;
    EXPECT_FALSE(stored.is_here());
  });
}

TEST_F(CheckImageTest, OneWhoseBytesCannotBeReadLeavesNothing) {
  with_removed(kLarge, [](StoredImage& stored) {
    for (std::size_t run = 0; run < stored.image.runs.size(); ++run) {
      ImageRefusal refusal;
      EXPECT_FALSE(read(FailingSource(stored.bytes, run), &refusal));
      EXPECT_EQ(refusal.code, Errc::corrupt_image);
      EXPECT_NE(refusal.why.find("cannot be read"), std::string::npos) << refusal.why;
      ASSERT_FALSE(stored.is_here());
    }
  });
}

TEST_F(CheckImageTest, OneThatFindsNoMemoryLeavesNothing) {
  with_removed(kLarge, [](StoredImage& stored) {
    os::fail_after = 1;
    ImageRefusal refusal;
    EXPECT_FALSE(read(stored.bytes, &refusal));
    os::fail_after = 0;
    EXPECT_EQ(refusal.code, Errc::out_of_memory);
  });
}

}  // namespace
}  // namespace roam::runtime
