#include <gtest/gtest.h>

#include <algorithm>
#include <new>
#include <string>
#include <vector>

#include "isomalloc/test_arena.h"
#include "runtime/teams/delayed_parcels.h"
#include "runtime/teams/held_letters.h"
#include "threads/test_memory.h"

namespace roam::runtime {
namespace {

using detail::Parcel;
using threads::NoMemory;

// ---- late ----

TEST(DelayedParcels, ThoseThatWaitForNewsWaitATurn) {
  DelayedParcels delayed(0);
  Parcel a, b;
  EXPECT_FALSE(delayed.shuffles() || delayed.add_by_chance(&a));
  delayed.add(&a);
  delayed.add(&b);
  std::vector<Parcel*> routed;
  delayed.turn([&](Parcel* p) {
    routed.push_back(p);
    if (p == &a) delayed.add(p);  // there are no news yet
  });
  EXPECT_EQ(routed, (std::vector{&a, &b}));
  EXPECT_FALSE(delayed.empty());
  delayed.turn([&](Parcel* p) { routed.push_back(p); });
  EXPECT_EQ(routed, (std::vector{&a, &b, &a}));
  EXPECT_TRUE(delayed.empty());
}

TEST(DelayedParcels, RoomIsTakenBeforeAParcelIsMade) {
  DelayedParcels delayed(0);
  Parcel a;
  { const DelayedParcels::Place given_up(delayed); }
  EXPECT_TRUE(delayed.empty());
  {
    DelayedParcels::Place place(delayed);
    no_memory = true;
    place.add(&a);
    no_memory = false;
  }
  std::vector<Parcel*> routed;
  delayed.turn([&](Parcel* p) { routed.push_back(p); });
  EXPECT_EQ(routed, (std::vector{&a}));
  // A deque takes memory now and then.
  std::size_t added = 0;
  const auto add_until_none = [&] {
    const NoMemory none;
    for (; added < 1'000'000; ++added) DelayedParcels::Place(delayed).add(&a);
  };
  EXPECT_THROW(add_until_none(), std::bad_alloc);
  std::size_t found = 0;
  delayed.turn([&](Parcel* p) { found += p == &a ? 1 : 0; });
  EXPECT_EQ(found, added);
}

TEST(DelayedParcels, ByChanceSomeAreLateAndNoneIsLost) {
  DelayedParcels delayed(20261128);
  std::vector<Parcel> parcels(1000);
  std::vector<int> routed(parcels.size());
  std::vector<std::size_t> order;
  const auto route = [&](Parcel* p) {
    const std::size_t i = static_cast<std::size_t>(p - parcels.data());
    ++routed[i];
    order.push_back(i);
  };
  for (Parcel& p : parcels) {
    if (!delayed.add_by_chance(&p)) route(&p);
    delayed.turn(route);
  }
  for (int turn = 0; turn < 17; ++turn) delayed.turn(route);
  EXPECT_TRUE(delayed.empty());
  EXPECT_EQ(routed, std::vector<int>(parcels.size(), 1));
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
}

// ---- held ----

class HeldLettersTest : public testing::Test {
 protected:
  static Parcel* parcel(std::uint64_t bytes) {
    auto* p = new Parcel;
    p->envelope.bytes = bytes;
    p->envelope.from = 1;
    p->envelope.to = 2;
    return p;
  }
  iso::TestArena arena_{false, std::size_t{16} << 30};
  HeldLetters held_;
};

TEST_F(HeldLettersTest, KeepTheBytesOfALetterAndNoneOfAnOffer) {
  LetterHead letter{};
  letter.kind = Kind::kLetter;
  letter.envelope.bytes = 4;
  LetterHead offer = letter;
  offer.kind = Kind::kLetterOffer;
  held_.add(letter, "abcd");
  held_.add(offer, nullptr);
  std::vector<std::size_t> sizes;
  held_.retry([&](const HeldLetters::Held& held) {
    EXPECT_EQ(held.parcel, nullptr);
    sizes.push_back(held.bytes.size());
    if (sizes.size() != 1) return;
    EXPECT_EQ(std::string(held.bytes.begin(), held.bytes.end()), "abcd");
  });
  EXPECT_EQ(sizes, (std::vector<std::size_t>{4, 0}));
  EXPECT_TRUE(held_.empty());
}

TEST_F(HeldLettersTest, TheFirstThatStillWaitsIsTheLastThatIsTried) {
  Parcel* parcels[] = {parcel(10), parcel(20), parcel(30)};
  for (Parcel* p : parcels) held_.add(p, {5, nullptr});
  std::vector<std::uint64_t> tried;
  const auto deliver = [&](std::uint64_t no_room) {
    tried.clear();
    held_.retry([&](const HeldLetters::Held& held) {
      EXPECT_EQ(held.head.target.id, 5u);
      tried.push_back(held.parcel->envelope.bytes);
      if (held.parcel->envelope.bytes == no_room) {
        held_.add(held.parcel, held.head.target);
      } else {
        delete held.parcel;
      }
    });
  };
  deliver(20);
  EXPECT_EQ(tried, (std::vector<std::uint64_t>{10, 20}));
  deliver(0);
  EXPECT_EQ(tried, (std::vector<std::uint64_t>{30, 20}));
  EXPECT_TRUE(held_.empty());
}

TEST_F(HeldLettersTest, SayHowManyWaitAndForWhom) {
  EXPECT_EQ(held_.describe(), "");
  Parcel* p = parcel(100);
  held_.add(p, {});
  held_.add(p, {});
  EXPECT_NE(held_.describe().find("2 messages (200 bytes; one from member 1 to member 2"),
            std::string::npos)
      << held_.describe();
  delete p;
}

}  // namespace
}  // namespace roam::runtime
