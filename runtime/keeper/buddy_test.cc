#include "runtime/keeper/buddy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace roam::runtime {
namespace {

std::string piece(int rank) { return "piece-" + std::to_string(rank); }

TEST(Buddy, OneNodeHasNone) {
  EXPECT_EQ(buddy_node({0, 0, 0}, 0), -1);
  EXPECT_EQ(buddy_rank({3, 3}, 1), -1);
  EXPECT_TRUE(ranks_buddied_by({0, 0}, 0).empty());
}

TEST(Buddy, NodesStandInARingWhateverTheirNumbers) {
  const std::vector<int> node_of{9, 2, 9, 5, 2};
  EXPECT_EQ(buddy_node(node_of, 2), 5);
  EXPECT_EQ(buddy_node(node_of, 5), 9);
  EXPECT_EQ(buddy_node(node_of, 9), 2);
  EXPECT_EQ(buddy_node({0, 1}, 0), 1);
  EXPECT_EQ(buddy_node({0, 1}, 1), 0);
}

TEST(Buddy, RanksOfANodeAreDealtOutToThoseOfTheNext) {
  const std::vector<int> node_of{0, 0, 0, 0, 0, 1, 1, 2};
  std::vector<int> buddies;
  for (int r = 0; r < 8; ++r) buddies.push_back(buddy_rank(node_of, r));
  EXPECT_EQ(buddies, (std::vector<int>{5, 6, 5, 6, 5, 7, 7, 0}));
  EXPECT_EQ(ranks_buddied_by(node_of, 5), (std::vector<int>{0, 2, 4}));
  EXPECT_EQ(ranks_buddied_by(node_of, 7), (std::vector<int>{5, 6}));
  EXPECT_EQ(ranks_buddied_by(node_of, 0), (std::vector<int>{7}));
  EXPECT_TRUE(ranks_buddied_by(node_of, 1).empty());
}

TEST(Buddy, ANumberCountsWhereAnyKeeperKnowsThatItIsComplete) {
  const std::vector<KeptAt> kept{{0, 0, 4, true, {}}, {0, 0, 5, false, {}}, {1, 1, 5, true, {}},
                                 {2, 2, 3, true, {}}, {3, 3, 4, true, {}},  {3, 3, 6, false, {}}};
  EXPECT_EQ(committed_numbers(kept), (std::vector<std::uint64_t>{5, 4, 3}));
  EXPECT_TRUE(committed_numbers({}).empty());
}

TEST(Buddy, PiecesAreTakenFromTheReadersOwnKeeperIfItHasThem) {
  const std::vector<KeptAt> kept{{0, 0, 7, true, {piece(0), piece(1)}},
                                 {1, 1, 7, false, {piece(1), piece(0)}},
                                 {1, 0, 7, true, {piece(2)}}};
  std::string missing;
  EXPECT_EQ(places_of(kept, 7, {{piece(0), 0, 0}, {piece(1), 1, 1}, {piece(2), 1, 1}}, &missing),
            (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(places_of(kept, 7, {{piece(2), 0, 0}}, &missing), (std::vector<std::size_t>{2}));
  EXPECT_EQ(missing, "");
}

TEST(Buddy, OfSeveralOnTheReadersMachineItsOwnNodesComesFirst) {
  const std::vector<KeptAt> kept{{1, 0, 7, true, {piece(1)}}, {1, 1, 7, true, {piece(1)}}};
  std::string missing;
  EXPECT_EQ(places_of(kept, 7, {{piece(1), 1, 1}}, &missing), (std::vector<std::size_t>{1}));
  EXPECT_EQ(places_of(kept, 7, {{piece(1), 1, 5}}, &missing), (std::vector<std::size_t>{0}));
}

TEST(Buddy, WhatIsNowhereIsNamed) {
  const std::vector<KeptAt> kept{{0, 0, 7, true, {piece(0)}}, {0, 0, 8, false, {piece(1)}}};
  std::string missing;
  EXPECT_TRUE(places_of(kept, 7, {{piece(0), 0, 0}, {piece(1), 0, 0}}, &missing).empty());
  EXPECT_EQ(missing, piece(1));
}

TEST(Buddy, WhoCanSendTakesTurns) {
  const std::vector<KeptAt> kept{{1, 1, 2, true, {piece(0), piece(1), piece(2), piece(3)}},
                                 {2, 2, 2, true, {piece(0), piece(1), piece(2), piece(3)}}};
  std::string missing;
  EXPECT_EQ(
      places_of(kept, 2, {{piece(0), 0, 0}, {piece(1), 0, 0}, {piece(2), 0, 0}, {piece(3), 0, 0}},
                &missing),
      (std::vector<std::size_t>{0, 1, 0, 1}));
}

// Nodes of random sizes, of which some are lost: all pieces are found exactly if no node is lost
// together with its buddy.
TEST(Buddy, ALostNodeCostsNothingUnlessItsBuddyIsLostToo) {
  std::mt19937 random(20261129);
  int found = 0, lost_for_good = 0;
  for (int round = 0; round < 2'000; ++round) {
    const int nodes = 1 + static_cast<int>(random() % 6),
              ranks = nodes + static_cast<int>(random() % 8);
    std::vector<int> node_of;
    for (int r = 0; r < ranks; ++r)
      node_of.push_back(
          10 * (r < nodes ? r : static_cast<int>(random() % static_cast<unsigned>(nodes))));
    std::shuffle(node_of.begin(), node_of.end(), random);
    std::set<int> lost;
    for (int n = 0; n < nodes; ++n)
      if (random() % 4 == 0) lost.insert(10 * n);

    // What each keeper got, and who is there to tell.
    std::vector<KeptAt> kept;
    for (int n = 0; n < nodes; ++n) {
      KeptAt one{n, 10 * n, 1, true, {}};
      for (int r = 0; r < ranks; ++r) {
        const int buddy = buddy_rank(node_of, r);
        if (node_of[static_cast<std::size_t>(r)] == one.keeper ||
            (buddy >= 0 && node_of[static_cast<std::size_t>(buddy)] == one.keeper))
          one.pieces.push_back(piece(r));
      }
      if (!lost.contains(one.keeper)) kept.push_back(one);
    }
    std::vector<WantedPiece> wanted;
    for (int r = 0; r < ranks; ++r) wanted.push_back({piece(r), static_cast<int>(random() % 3), 0});

    bool all_there = true;
    for (const int node : lost) {
      const int buddy = buddy_node(node_of, node);
      all_there = all_there && buddy >= 0 && !lost.contains(buddy);
    }
    std::string missing;
    const std::vector<std::size_t> places = places_of(kept, 1, wanted, &missing);
    ASSERT_EQ(!places.empty(), all_there) << "round " << round << " misses " << missing;
    ASSERT_EQ(missing.empty(), all_there);
    (all_there ? found : lost_for_good) += 1;
    for (std::size_t p = 0; p < places.size(); ++p) {
      const KeptAt& from = kept[places[p]];
      ASSERT_NE(std::find(from.pieces.begin(), from.pieces.end(), wanted[p].name),
                from.pieces.end());
    }
  }
  EXPECT_GT(found, 100);
  EXPECT_GT(lost_for_good, 100);
}

}  // namespace
}  // namespace roam::runtime
