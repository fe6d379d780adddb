// The bits of a reduction do not depend on who comes first, nor on which rank combines what; and
// who finds no memory has not taken part.
#include "runtime/teams/parts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <numeric>
#include <random>
#include <vector>

#include "base/float_modes.h"
#include "roam/team.h"

namespace {

int allocations_left = -1;  // until one fails, once; negative: none does

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (allocations_left >= 0 && allocations_left-- == 0) throw std::bad_alloc();
  void* block = std::malloc(bytes != 0 ? bytes : 1);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace roam::runtime {
namespace {

using detail::CollectiveCall;
using detail::CollectiveKind;

GatherHead head_of(const CollectiveCall& call) {
  GatherHead head{};
  head.kind = Kind::kGather;
  head.what = call.kind;
  head.bytes = call.bytes;
  head.count = call.count;
  head.combine = call.combine;
  head.in_order = call.combine != nullptr && !call.any_order;
  std::memcpy(head.op, call.op, sizeof head.op);
  return head;
}

CollectiveCall sum_of(double* value) {
  return detail::reduction(CollectiveKind::kAllreduce, 0, value, value, 1, std::plus<>());
}

// The sum when members come in the order `order` to `ranks` ranks, each of which sends what it has
// up to the first now and then.
double sum(std::vector<double> values, const std::vector<int>& order, int ranks,
           std::mt19937& random) {
  const GatherHead head = head_of(sum_of(&values[0]));
  std::vector<Parts> parts(static_cast<std::size_t>(ranks));
  for (Parts& p : parts) p.head = head;
  const auto send_up = [&](Parts& from) {
    if (&from == &parts[0] || from.head.parts == 0) return;
    const std::vector<char> message = from.pack();
    from.clear();
    parts[random() % static_cast<std::size_t>(&from - &parts[0])].add(message.data());
  };
  for (const int member : order) {
    Parts& here = parts[random() % parts.size()];
    here.add(sum_of(&values[static_cast<std::size_t>(member)]), member);
    if (random() % 4 == 0) send_up(here);
  }
  for (std::size_t r = parts.size(); r-- > 1;) send_up(parts[r]);
  EXPECT_EQ(parts[0].head.parts, values.size());
  complete(&parts[0], static_cast<int>(values.size()));
  double result = 0;
  EXPECT_EQ(parts[0].blob.size(), sizeof result);
  std::memcpy(&result, parts[0].blob.data(), sizeof result);
  return result;
}

TEST(Parts, GiveAReductionTheSameBitsInEveryOrder) {
  std::mt19937 random(20261127);
  for (const int size : {1, 2, 3, 5, 8, 13, 64, 100, 257}) {
    std::vector<double> values(static_cast<std::size_t>(size));
    for (double& v : values) v = std::ldexp(static_cast<double>(random()), random() % 60);
    std::vector<int> order(values.size());
    std::iota(order.begin(), order.end(), 0);
    const double expected = sum(values, order, 1, random);
    for (int round = 0; round < 20; ++round) {
      std::shuffle(order.begin(), order.end(), random);
      EXPECT_EQ(sum(values, order, 1 + round % 7, random), expected) << size << " members";
    }
  }
}

// What the test above is about: these orders do give other bits.
TEST(Parts, OfAnyOrderDependOnIt) {
  double values[] = {1e16, 1, -1e16};
  const auto sum_in = [&](std::initializer_list<int> order) {
    Parts parts;
    const auto call = [&](int i) {
      return detail::reduction(CollectiveKind::kAllreduce, 0, &values[i], &values[i], 1,
                               AnyOrder(std::plus<>()));
    };
    parts.head = head_of(call(0));
    for (const int i : order) parts.add(call(i), i);
    complete(&parts, 3);
    double result = 0;
    std::memcpy(&result, parts.blob.data(), sizeof result);
    return result;
  };
  EXPECT_NE(sum_in({0, 1, 2}), sum_in({0, 2, 1}));
}

// Upward, a number that is too small to be seen counts. Both kinds of reduction; the second part is
// another rank's.
TEST(Parts, RoundAsTheirMembersDo) {
  std::fesetround(FE_UPWARD);
  const std::uint16_t upward = FloatModes::now().bits();
  std::fesetround(FE_TONEAREST);
  for (const bool any_order : {false, true}) {
    for (const std::uint16_t modes : {std::uint16_t{0}, upward}) {
      double values[] = {1, 0x1p-60};
      Parts parts[2];
      for (int i = 0; i < 2; ++i) {
        CollectiveCall call = sum_of(&values[i]);
        call.any_order = any_order;
        parts[i].head = head_of(call);
        parts[i].head.modes = modes;
        parts[i].add(call, i);
      }
      parts[0].add(parts[1].pack().data());
      complete(&parts[0], 2);
      double result = 0;
      std::memcpy(&result, parts[0].blob.data(), sizeof result);
      EXPECT_EQ(result, modes == 0 ? 1 : 0x1.0000000000001p0) << any_order;
    }
  }
  EXPECT_EQ(FloatModes::now(), FloatModes());
}

TEST(Parts, KeepTheOrderOfOperands) {
  // Concatenation of decimal digits does not commute.
  std::vector<long long> digits = {1, 2, 3, 4, 5, 6, 7};
  const auto call = [&](int i) {
    long long* at = &digits[static_cast<std::size_t>(i)];
    return detail::reduction(CollectiveKind::kReduce, 0, at, at, 1, [](long long a, long long b) {
      long long shift = 1;
      while (shift <= b) shift *= 10;
      return a * shift + b;
    });
  };
  Parts parts;
  parts.head = head_of(call(0));
  for (const int i : {4, 0, 6, 2, 5, 1, 3}) parts.add(call(i), i);
  complete(&parts, 7);
  long long result = 0;
  std::memcpy(&result, parts.blob.data(), sizeof result);
  EXPECT_EQ(result, 1234567);
}

// Adds the part of `call`, which is refused memory at each point where it asks for some; what is
// then there is what was there before.
void add_in_the_end(Parts& parts, const CollectiveCall& call, int member) {
  for (int last = 0;; ++last) {
    const std::uint32_t before = parts.head.parts;
    allocations_left = last;
    bool failed = false;
    try {
      parts.add(call, member);
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    allocations_left = -1;
    if (!failed) return;
    ASSERT_EQ(parts.head.parts, before);
  }
}

TEST(Parts, AreThereOnceHoweverOftenMemoryWasRefused) {
  constexpr int kMembers = 13;
  std::vector<double> values(kMembers);
  std::iota(values.begin(), values.end(), 1);
  std::mt19937 random(20261130);
  std::vector<int> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  for (int round = 0; round < 10; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    Parts sum;
    sum.head = head_of(sum_of(&values[0]));
    Parts all;
    const auto gather = [&](int i) {
      return CollectiveCall{.kind = CollectiveKind::kAllgather,
                            .in = &values[static_cast<std::size_t>(i)],
                            .bytes = sizeof(double)};
    };
    all.head = head_of(gather(0));
    for (const int i : order) {
      add_in_the_end(sum, sum_of(&values[static_cast<std::size_t>(i)]), i);
      add_in_the_end(all, gather(i), i);
    }
    EXPECT_EQ(all.entries.size(), values.size());
    complete(&sum, kMembers);
    complete(&all, kMembers);
    double result = 0;
    std::memcpy(&result, sum.blob.data(), sizeof result);
    EXPECT_EQ(result, kMembers * (kMembers + 1) / 2);
    ASSERT_EQ(all.blob.size(), values.size() * sizeof(double));
    EXPECT_EQ(std::memcmp(all.blob.data(), values.data(), all.blob.size()), 0);
  }
}

TEST(Parts, CountBytesBeyondFourGibibytes) {
  EntryHead entry{};
  entry.bytes = (std::uint64_t{4} << 30) + 4096;
  Parts parts;
  parts.entries = {{0, 0, 0}, entry};
  parts.entries[1].index = 1;
  parts.entries[0].bytes = 0;
  const std::vector<char> message = parts.pack();
  EntryHead sent{};
  std::memcpy(&sent, message.data() + sizeof(GatherHead) + sizeof(EntryHead), sizeof sent);
  EXPECT_EQ(sent.bytes, entry.bytes);
}

TEST(Parts, AreCombinedAsTheyComeWhereTheOrderCannotMatter) {
  long count = 1;
  EXPECT_TRUE(
      detail::reduction(CollectiveKind::kReduce, 0, &count, &count, 1, std::plus<>()).any_order);
  double value = 1;
  EXPECT_FALSE(sum_of(&value).any_order);
}

}  // namespace
}  // namespace roam::runtime
