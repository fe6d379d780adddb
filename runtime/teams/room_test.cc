#include "runtime/teams/room.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <vector>

namespace roam::detail {
namespace {

constexpr std::uint64_t kMost = 1 << 20;

// One receiver, and senders whose messages come at once.
struct Flow {
  explicit Flow(int senders) : peers(static_cast<std::size_t>(senders)), waiting(peers.size()) {
    room.set(kMost, senders + 1);
  }
  bool send(std::size_t from, std::uint64_t bytes) {
    if (room.full(peers[from])) return false;
    peers[from].used += bytes;
    Room::came(peers[from], bytes);
    room.rests(bytes);
    waiting[from].push_back(bytes);
    look(from);
    return true;
  }
  bool receive(std::size_t from) {
    if (waiting[from].empty()) return false;
    room.gone(peers[from], waiting[from].front());
    waiting[from].pop_front();
    look(from);
    return true;
  }
  void look(std::size_t from) {
    peers[from].used -= room.take_due(peers[from]);
    if (!room.take_again()) return;
    for (PeerRoom& p : peers) p.used -= room.take_due(p);
  }
  Room room;
  std::vector<PeerRoom> peers;
  std::vector<std::deque<std::uint64_t>> waiting;
};

TEST(Room, WithoutABoundNobodyWaits) {
  Room room;
  EXPECT_FALSE(room.bounded());
  PeerRoom p;
  p.used = std::uint64_t{1} << 60;
  EXPECT_FALSE(room.full(p));
  room.set(0, 4);
  EXPECT_FALSE(room.bounded());
  EXPECT_EQ(room.take_all(p), 0u);
}

TEST(Room, ASenderToWhoNeverReceivesStops) {
  Flow flow(3);
  std::uint64_t sent = 0;
  while (flow.send(0, 1000)) {
    sent += 1000;
    ASSERT_LT(sent, 3 * kMost);
  }
  EXPECT_GE(sent, kMost);
  EXPECT_EQ(flow.room.resting(), sent);
  // Others can still send a window.
  EXPECT_TRUE(flow.send(1, 1000));
}

TEST(Room, WhoIsListenedToGoesOnWhileAnotherFillsTheMailbox) {
  Flow flow(2);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(flow.send(1, 1000));  // nobody wants these
  while (flow.send(0, 1000)) {
  }
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(flow.send(1, 5000)) << i;
    flow.waiting[1].push_front(flow.waiting[1].back());
    flow.waiting[1].pop_back();
    ASSERT_TRUE(flow.receive(1));
  }
}

// One message of any size may begin while there is room.
TEST(Room, WhoseLongMessageIsReceivedGoesOnWhileAnotherFillsTheMailbox) {
  for (const std::uint64_t before : {0, 300'000}) {
    Flow flow(2);
    while (flow.send(0, 1000)) {
    }
    std::uint64_t sent = 0;
    for (; sent < before; sent += 1000) ASSERT_TRUE(flow.send(1, 1000));
    ASSERT_TRUE(flow.send(1, 3 * kMost));
    EXPECT_FALSE(flow.send(1, 1000));
    while (flow.receive(1)) {
    }
    EXPECT_GE(flow.room.resting(), kMost);
    EXPECT_TRUE(flow.send(1, 1000)) << "after " << before << " bytes";
  }
}

TEST(Room, AllGoOnOnceEnoughIsReceived) {
  Flow flow(4);
  for (std::size_t s = 0; s < 4; ++s) {
    while (flow.send(s, 10'000)) {
    }
  }
  while (flow.room.resting() >= kMost) ASSERT_TRUE(flow.receive(0) || flow.receive(1));
  for (std::size_t s = 0; s < 4; ++s) EXPECT_TRUE(flow.send(s, 10'000)) << s;
}

TEST(Room, WhoEndsTellsThoseThatMayWait) {
  Flow flow(2);
  ASSERT_TRUE(flow.send(1, 1000));
  while (flow.send(0, 1000)) {
  }
  EXPECT_EQ(flow.room.take_all(flow.peers[1]), 0u);
  flow.peers[0].used -= flow.room.take_all(flow.peers[0]);
  EXPECT_FALSE(flow.room.full(flow.peers[0]));
}

TEST(Room, WhateverIsSentAndReceivedTheBoundHoldsAndNobodyIsLeftWaiting) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    const int senders = 1 + static_cast<int>(random() % 40);
    Flow flow(senders);
    const std::uint64_t window = std::clamp<std::uint64_t>(
        kMost / static_cast<std::uint64_t>(senders + 1), 64 << 10, 1 << 20);
    constexpr std::uint64_t kLongest = 20'000;
    for (int i = 0; i < 50'000; ++i) {
      const std::size_t peer = random() % flow.peers.size();
      if (random() % 100 < 60) {
        flow.send(peer, 256 + random() % (kLongest - 256));
      } else {
        flow.receive(peer);
      }
      ASSERT_LT(flow.room.resting(), kMost + flow.peers.size() * (2 * window + kLongest) + kLongest)
          << "seed " << seed;
    }
    for (std::size_t s = 0; s < flow.peers.size(); ++s) {
      while (flow.receive(s)) {
      }
    }
    EXPECT_EQ(flow.room.resting(), 0u);
    for (const PeerRoom& p : flow.peers) EXPECT_FALSE(flow.room.full(p)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace roam::detail
