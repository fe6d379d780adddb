// One rank, whose machine has keepers of two nodes.
#include "runtime/checkpoint/kept_checkpoints.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "runtime/checkpoint/folder.h"
#include "runtime/keeper/test_keeper.h"

namespace roam::runtime {
namespace {

class KeptCheckpointsTest : public Keeper {
 protected:
  static void SetUpTestSuite() { net().mpi().start(nullptr, nullptr); }
  static void TearDownTestSuite() { net().mpi().finish(); }
  static Net& net() {
    static Net* const one = new Net;
    return *one;
  }
  KeptCheckpointsTest() : dir_(folder_) {
    std::string why;
    std::filesystem::create_directories(dir_);
    folder_ = name_for_keepers(dir_, true, &why);
    EXPECT_NE(folder_, "") << why;
    manifest_.number = 7;
    manifest_.ranks = manifest_.homes = 1;
    manifest_.layout = {"module /some/program at 0x0, build-id 1234"};
    manifest_.pieces.resize(1);
    manifest_.pieces[0].file = "piece.0";
  }
  // The keeper of `node`, with all pieces; its process.
  pid_t start_keeper(int node, int hold_s = 600) {
    const std::vector<pid_t> before = processes();
    KeeperClient client;
    EXPECT_TRUE(start(client, node, hold_s));
    EXPECT_TRUE(put(client, 7, "piece.0", "of node " + std::to_string(node)));
    EXPECT_TRUE(client.commit(7, manifest_.text()) && client.settle(7)) << client.error();
    EXPECT_TRUE(soon([&] { return processes().size() == before.size() + 1; }));
    for (const pid_t one : processes()) {
      if (std::find(before.begin(), before.end(), one) == before.end()) return one;
    }
    return 0;
  }
  void end_keeper(pid_t one) {
    const std::size_t before = processes().size();
    ASSERT_EQ(kill(one, SIGKILL), 0);
    EXPECT_TRUE(soon([&] { return processes().size() == before - 1; }));
  }

  std::string dir_;
  Manifest manifest_;
};

TEST_F(KeptCheckpointsTest, APieceIsTakenFromTheKeeperOfItsNode) {
  start_keeper(0);
  start_keeper(1);
  KeptCheckpoints kept(net().mpi(), dir_);
  EXPECT_EQ(kept.manifests().size(), 1u);
  EXPECT_EQ(kept.largest_number(), 7u);
  std::string why;
  bool lacked = false;
  ASSERT_TRUE(kept.bring(net(), manifest_, &why, &lacked)) << why;
  const OwnedFd piece(kept.open("piece.0"));
  EXPECT_EQ(contents(piece.get()), "of node 0");
  EXPECT_FALSE(kept.from_buddy());
}

TEST_F(KeptCheckpointsTest, APieceThatAKeeperDoesNotGiveIsTakenFromTheNext) {
  const pid_t first = start_keeper(0);
  start_keeper(1);
  KeptCheckpoints kept(net().mpi(), dir_);
  end_keeper(first);
  std::string why;
  bool lacked = false;
  ASSERT_TRUE(kept.bring(net(), manifest_, &why, &lacked)) << why;
  const OwnedFd piece(kept.open("piece.0"));
  EXPECT_EQ(contents(piece.get()), "of node 1");
  EXPECT_TRUE(kept.from_buddy());
}

TEST_F(KeptCheckpointsTest, APieceThatNoKeeperGivesIsNamedAndWhy) {
  const pid_t first = start_keeper(0), second = start_keeper(1);
  KeptCheckpoints kept(net().mpi(), dir_);
  end_keeper(first);
  end_keeper(second);
  std::string why;
  bool lacked = false;
  EXPECT_FALSE(kept.bring(net(), manifest_, &why, &lacked));
  EXPECT_FALSE(lacked);
  EXPECT_NE(why.find("'piece.0' is in memory of no node that is left: piece.0 of node "),
            std::string::npos)
      << why;
  EXPECT_EQ(kept.open("piece.0"), -1);
}

// What there is no descriptor for may be whole, and is there afterwards.
TEST_F(KeptCheckpointsTest, APieceThatThisProcessHasNoRoomForIsNotNowhere) {
  start_keeper(0);
  KeptCheckpoints kept(net().mpi(), dir_);
  std::string why;
  bool lacked = false;
  {
    const rlimit few{256, 256};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    std::deque<OwnedFd> all;
    while (all.empty() || all.back().get() >= 0) all.emplace_back(dup(2));
    EXPECT_FALSE(kept.bring(net(), manifest_, &why, &lacked)) << "it was not to find a descriptor";
  }
  EXPECT_TRUE(lacked) << why;
  EXPECT_NE(why.find("descriptor"), std::string::npos) << why;
  KeptCheckpoints again(net().mpi(), dir_);
  ASSERT_TRUE(again.bring(net(), manifest_, &why, &lacked)) << why;
}

TEST_F(KeptCheckpointsTest, KeepersHoldItForWhoHasTakenThemOver) {
  start_keeper(0, 1);
  std::vector<std::shared_ptr<KeeperClient>> keepers;
  {
    KeptCheckpoints kept(net().mpi(), dir_);
    std::string why;
    bool lacked = false;
    ASSERT_TRUE(kept.bring(net(), manifest_, &why, &lacked)) << why;
    kept.settle(net().mpi(), manifest_);
    keepers = kept.take_keepers();
  }
  ASSERT_EQ(keepers.size(), 1u);
  sleep(3);  // it would have ended by now
  EXPECT_EQ(get(*keepers.front(), 7, "piece.0"), "of node 0");
  keepers.clear();
  EXPECT_TRUE(soon([this] { return processes().empty(); }));
}

}  // namespace
}  // namespace roam::runtime
