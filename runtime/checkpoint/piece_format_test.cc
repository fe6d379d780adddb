#include "runtime/checkpoint/piece_format.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/test_bytes.h"

namespace roam::runtime {
namespace {

constexpr Address k = 0x2000'0000'0000;
std::vector<Range> pages_of(const std::vector<Range>& runs) {
  std::vector<Range> pages{{1, 2}};  // of an earlier call
  page_runs_of(runs, &pages);
  return pages;
}
using Ranges = std::vector<Range>;

TEST(PageRuns, RunsAreRoundedOutToPages) {
  EXPECT_EQ(pages_of({}), Ranges{});
  EXPECT_EQ(pages_of({{k, 4096}}), (Ranges{{k, 4096}}));
  EXPECT_EQ(pages_of({{k + 10, 1}}), (Ranges{{k, 4096}}));
  EXPECT_EQ(pages_of({{k + 4095, 2}}), (Ranges{{k, 8192}}));
}

TEST(PageRuns, RunsThatTouchAreOne) {
  EXPECT_EQ(pages_of({{k, 10}, {k + 20, 10}}), (Ranges{{k, 4096}}));
  EXPECT_EQ(pages_of({{k, 10}, {k + 4096, 10}}), (Ranges{{k, 8192}}));
  EXPECT_EQ(pages_of({{k, 5000}, {k + 6000, 10}}), (Ranges{{k, 8192}}));
  EXPECT_EQ(pages_of({{k, 10}, {k + 8192, 10}}), (Ranges{{k, 4096}, {k + 8192, 4096}}));
  EXPECT_EQ(pages_of({{k + 65536, 10}, {k, 10}}), (Ranges{{k + 65536, 4096}, {k, 4096}}))
      << "marks come in any order";
}

TEST(PageRuns, LongOnesAreCut) {
  constexpr std::size_t kMost = kMostPageRunBytes;
  EXPECT_EQ(pages_of({{k, kMost}}), (Ranges{{k, kMost}}));
  EXPECT_EQ(pages_of({{k + 4096, 2 * kMost + 1}}),
            (Ranges{{k + 4096, kMost}, {k + 4096 + kMost, kMost}, {k + 4096 + 2 * kMost, 4096}}));
}

TEST(PageRuns, EachByteOfARunIsInOnePage) {
  std::uint64_t random = test_seed();
  for (int round = 0; round < 200; ++round) {
    Ranges runs;
    Address at = k;
    for (int i = 0; i < 30; ++i) {
      at += next_random(&random) % 9000;
      const std::size_t bytes = 1 + next_random(&random) % (i == 7 ? 5 << 20 : 9000);
      runs.push_back({at, bytes});
      at += bytes;
    }
    const Ranges pages = pages_of(runs);
    std::size_t p = 0;
    for (const Range& run : runs) {
      for (Address byte = run.begin; byte < run.end();) {
        while (p < pages.size() && pages[p].end() <= byte) ++p;
        ASSERT_LT(p, pages.size());
        ASSERT_LE(pages[p].begin, byte);
        byte = pages[p].end();
      }
    }
    for (std::size_t i = 0; i < pages.size(); ++i) {
      ASSERT_EQ((pages[i].begin | pages[i].bytes) % kPageBytes, 0u);
      ASSERT_LE(pages[i].bytes, kMostPageRunBytes);
      if (i != 0) {
        ASSERT_LE(pages[i - 1].end(), pages[i].begin);
      }
    }
  }
}

TEST(PieceSummary, ComesBackFromAMessage) {
  const PieceSummary summary{"piece 1, of",  1,  2, 3,
                             UINT64_MAX,     10, 5, 6,
                             UINT64_MAX - 1, 8,  9, {{41, 7, 0}, {UINT64_MAX, 0, 0}}};
  EXPECT_EQ(unpack_summary(pack_summary(summary)), summary);
  EXPECT_EQ(unpack_summary(""), PieceSummary());
  EXPECT_EQ(unpack_summary("1 2 3"), PieceSummary());
  EXPECT_EQ(unpack_summary("1 2 3 4 5 6 7 8 9 10 "), PieceSummary());
}

}  // namespace
}  // namespace roam::runtime
