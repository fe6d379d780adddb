// The memory of messages: what rests is bounded and used again, and nothing is left at the end.
#include "runtime/teams/parcel_store.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <vector>

#include "base/test_bytes.h"
#include "runtime/teams/copy_count.h"
#include "threads/test_threads.h"

namespace roam::runtime {
namespace {

using detail::Envelope;
using detail::Parcel;
using detail::Room;

Envelope envelope(std::size_t bytes, int from = 1, int to = 2) {
  Envelope e;
  e.team = 7;
  e.from = from;
  e.to = to;
  e.bytes = bytes;
  return e;
}

// ---- resting ----

TEST(RestingParcels, OneOfTheSameClassIsTakenAgainTheLastFirst) {
  RestingParcels resting;
  Parcel small, other, large;
  small.size = other.size = 1;
  large.size = 3;
  EXPECT_EQ(resting.take(1), nullptr);
  EXPECT_TRUE(resting.keep(&small));
  EXPECT_TRUE(resting.keep(&large));
  EXPECT_TRUE(resting.keep(&other));
  EXPECT_EQ(resting.take(2), nullptr);
  EXPECT_EQ(resting.take(1), &other);
  EXPECT_EQ(resting.take(1), &small);
  EXPECT_EQ(resting.take(1), nullptr);
  EXPECT_EQ(resting.take(3), &large);
}

TEST(RestingParcels, SoMuchRoomOfEachClassRestsAndNoMore) {
  for (std::size_t size = 1; size <= Parcel::kSizes; ++size) {
    RestingParcels resting;
    const std::size_t most = RestingParcels::kMostBytes / Parcel::room_bytes(size);
    std::vector<Parcel> parcels(most + 1);
    for (Parcel& p : parcels) p.size = static_cast<std::uint8_t>(size);
    for (std::size_t i = 0; i < most; ++i) EXPECT_TRUE(resting.keep(&parcels[i])) << i;
    EXPECT_FALSE(resting.keep(&parcels[most])) << "of class " << size;
    std::set<Parcel*> out;
    resting.take_all([&](Parcel* p) { out.insert(p); });
    EXPECT_EQ(out.size(), most);
    EXPECT_TRUE(resting.keep(&parcels[most])) << "none rests any more";
  }
}

TEST(RestingParcels, WhatIsMadeToMeasureDoesNotRest) {
  RestingParcels resting;
  Parcel parcel;
  EXPECT_FALSE(resting.keep(&parcel));
}

// ---- copies ----

TEST(CopyCount, BoundsTheBytesOfEachPair) {
  CopyCount copies(1000 + 2 * Room::kHeadBytes);
  EXPECT_TRUE(copies.has_room(envelope(5000))) << "one of any size may begin";
  copies.add(envelope(600));
  EXPECT_TRUE(copies.has_room(envelope(400)));
  EXPECT_FALSE(copies.has_room(envelope(401)));
  EXPECT_TRUE(copies.has_room(envelope(900, 2, 1))) << "the other way";
  EXPECT_TRUE(copies.has_room(envelope(900, 1, 3)));
  copies.add(envelope(400));
  EXPECT_FALSE(copies.has_room(envelope(1)));
  copies.take_off(envelope(600));
  EXPECT_TRUE(copies.has_room(envelope(600)));
  copies.take_off(envelope(400));
  EXPECT_TRUE(copies.has_room(envelope(5000))) << "none is left";
}

TEST(CopyCount, BoundsTheNumberOfEmptyOnes) {
  CopyCount copies(1000);
  int count = 0;
  for (; copies.has_room(envelope(0)) && count < 1000; ++count) copies.add(envelope(0));
  EXPECT_EQ(count, 1000 / static_cast<int>(Room::kHeadBytes));
  for (; count > 0; --count) copies.take_off(envelope(0));
  EXPECT_TRUE(copies.has_room(envelope(5000)));
}

TEST(CopyCount, HasNoBoundOfZero) {
  CopyCount copies(0);
  copies.add(envelope(std::size_t{1} << 40));
  EXPECT_TRUE(copies.has_room(envelope(std::size_t{1} << 40)));
}

// ---- the store ----

class ParcelStoreTest : public testing::Test {
 protected:
  ParcelStoreTest() { store_.start(); }
  ~ParcelStoreTest() override {
    store_.reclaim();
    store_.finish_run();
  }
  Parcel* make(std::size_t bytes, std::uint64_t seed) {
    std::vector<char> data(bytes);
    fill_bytes(data.data(), bytes, seed);
    return store_.make(envelope(bytes), data.data());
  }
  static void expect_bytes(const Parcel* parcel, std::uint64_t seed) {
    EXPECT_EQ(parcel->place, Parcel::Place::kInside);
    const std::size_t bytes = parcel->envelope.bytes;
    EXPECT_EQ(first_wrong_byte(parcel->data, bytes, seed), bytes);
  }

  threads::TestThreads threads_;
  ParcelStore store_{0};
};

TEST_F(ParcelStoreTest, AParcelHasItsBytesWhateverRestedInItsPlace) {
  for (const std::size_t bytes : {0, 1, 128, 129, 8192, 8193, 300'000}) {
    Parcel* first = make(bytes, 1);
    expect_bytes(first, 1);
    first->receipt = first->copied = true;
    const bool rests = first->size != 0;
    store_.free_parcel(first);
    Parcel* second = make(bytes, 2);
    EXPECT_TRUE(!rests || second == first) << bytes;
    EXPECT_FALSE(second->receipt || second->copied) << "it is made anew";
    expect_bytes(second, 2);
    store_.free_parcel(second);
  }
}

TEST_F(ParcelStoreTest, AParcelThatStaysWithItsMemberLiesInTheMembersMemory) {
  Tcb* t = threads::scheduler().slots().make(0, "member");
  Parcel* parcel = make(1000, 3);
  Parcel* moved = move_into(t, parcel, store_);
  ASSERT_TRUE(moved != nullptr && t->heap.contains(moved));
  expect_bytes(moved, 3);
  EXPECT_EQ(move_into(t, moved, store_), moved) << "it is there already";
  EXPECT_EQ(make(1000, 4), parcel) << "its room rests";
  store_.free_parcel(parcel);
  t->heap.free(moved);

  Parcel* far = store_.try_far(envelope(50'000), parcel);
  Parcel* moved_far = move_into(t, far, store_);
  ASSERT_TRUE(t->heap.contains(moved_far));
  EXPECT_EQ(moved_far->place, Parcel::Place::kFar);
  EXPECT_EQ(moved_far->original, parcel);
  t->heap.free(moved_far);

  Parcel* open = store_.try_bare(envelope(50'000), Parcel::Place::kOpen);
  Parcel* refers = move_into(t, open, store_);
  EXPECT_EQ(refers->place, Parcel::Place::kFar);
  EXPECT_EQ(refers->original, open) << "what is open stays";
  EXPECT_EQ(open->place, Parcel::Place::kOpen);
  t->heap.free(refers);
  store_.free(open);
  t->heap.release_all();
  threads::scheduler().slots().retire(t);
}

}  // namespace
}  // namespace roam::runtime
