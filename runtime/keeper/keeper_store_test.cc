#include "runtime/keeper/keeper_store.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace roam::runtime {
namespace {

KeeperStore::Memory some() { return std::make_shared<OwnedFd>(); }

std::string shape(const KeeperStore& store) {
  std::string all;
  for (const KeeperClient::Kept& one : store.list()) {
    all += std::to_string(one.number) + (one.committed ? " whole" : " part") + one.manifest + ":";
    for (const std::string& name : one.pieces) all += " " + name;
    all += "; ";
  }
  return all;
}

TEST(KeeperStore, HoldsWhatWasCommittedUntilANewerOneIsSettled) {
  KeeperStore store;
  std::string why;
  ASSERT_TRUE(store.put(1, "piece-0", some(), &why));
  ASSERT_TRUE(store.put(1, "piece-1", some(), &why));
  EXPECT_EQ(shape(store), "1 part: piece-0 piece-1; ");
  store.commit(1, "=a");
  ASSERT_TRUE(store.put(2, "piece-1", some(), &why));
  EXPECT_EQ(shape(store), "1 whole=a: piece-0 piece-1; 2 part: piece-1; ");
  store.commit(2, "=b");
  EXPECT_EQ(shape(store), "1 whole=a: piece-0 piece-1; 2 whole=b: piece-1; ");
  ASSERT_TRUE(store.put(3, "piece-1", some(), &why));
  store.settle(2);
  EXPECT_EQ(shape(store), "2 whole=b: piece-1; 3 part: piece-1; ");
  store.settle(2);
  EXPECT_EQ(shape(store), "2 whole=b: piece-1; 3 part: piece-1; ");
}

TEST(KeeperStore, DropsWhatWasNeverCommittedWhenAnotherBegins) {
  KeeperStore store;
  std::string why;
  store.commit(4, "=m");
  ASSERT_TRUE(store.put(5, "piece-0", some(), &why));
  ASSERT_TRUE(store.put(6, "piece-0", some(), &why));
  EXPECT_EQ(shape(store), "4 whole=m:; 6 part: piece-0; ");
  ASSERT_TRUE(store.put(5, "piece-1", some(), &why));
  EXPECT_EQ(shape(store), "4 whole=m:; 5 part: piece-1; ");
}

TEST(KeeperStore, ANumberThatIsGivenAgainIsAnotherCheckpoint) {
  KeeperStore store;
  std::string why;
  ASSERT_TRUE(store.put(7, "piece-0", some(), &why));
  ASSERT_TRUE(store.put(7, "piece-1", some(), &why));
  store.commit(7, "=old");
  ASSERT_TRUE(store.put(7, "piece-0", some(), &why));
  EXPECT_EQ(shape(store), "7 part: piece-0; ");
  ASSERT_TRUE(store.put(7, "piece-1", some(), &why));
  EXPECT_EQ(shape(store), "7 part: piece-0 piece-1; ");
}

TEST(KeeperStore, ACommitThatIsSaidAgainLetsTheNextOneBe) {
  KeeperStore store;
  std::string why;
  ASSERT_TRUE(store.put(5, "piece-0", some(), &why));
  store.commit(5, "=a");
  ASSERT_TRUE(store.put(6, "piece-0", some(), &why));
  store.commit(5, "=a");
  EXPECT_EQ(shape(store), "5 whole=a: piece-0; 6 part: piece-0; ");
}

TEST(KeeperStore, HoldsMemoryAsLongAsItHasAName) {
  KeeperStore store;
  std::string why;
  auto first = some(), second = some();
  const std::weak_ptr<OwnedFd> base = first, dropped = second;
  ASSERT_TRUE(store.put(1, "piece-0", std::move(first), &why));
  ASSERT_TRUE(store.put(1, "piece-1", std::move(second), &why));
  store.commit(1, "");
  ASSERT_TRUE(store.put(2, "piece-0", some(), &why));
  ASSERT_TRUE(store.link(2, "base-000001-0", 1, "piece-0", &why));
  EXPECT_EQ(store.get(2, "base-000001-0"), base.lock());
  store.commit(2, "");
  EXPECT_FALSE(dropped.expired());
  store.settle(2);
  EXPECT_TRUE(dropped.expired());
  ASSERT_TRUE(store.link(3, "base-000001-0", 2, "base-000001-0", &why));
  store.commit(3, "");
  store.settle(3);
  EXPECT_EQ(store.get(3, "base-000001-0"), base.lock());
  store.commit(4, "");
  store.settle(4);
  EXPECT_TRUE(base.expired());
}

TEST(KeeperStore, RefusesALinkToWhatIsNotHereAndChangesNothing) {
  KeeperStore store;
  std::string why;
  ASSERT_TRUE(store.put(1, "piece-0", some(), &why));
  EXPECT_FALSE(store.link(2, "base", 1, "piece-1", &why));
  EXPECT_EQ(why, "'piece-1' of checkpoint 1 is not here");
  EXPECT_FALSE(store.link(2, "base", 3, "piece-0", &why));
  EXPECT_FALSE(store.put(2, "", some(), &why));
  EXPECT_EQ(shape(store), "1 part: piece-0; ");
  EXPECT_EQ(store.get(2, "piece-0"), nullptr);
  EXPECT_EQ(store.get(1, "piece-1"), nullptr);
}

TEST(KeeperStore, ItsListTravels) {
  const std::string bytes("a\0b\n", 4);
  const std::vector<KeeperClient::Kept> all{{1, true, bytes, {"piece-0", "piece-1"}},
                                            {~std::uint64_t{0}, false, "", {}}};
  const std::string packed = pack_kept(all);
  std::vector<KeeperClient::Kept> back;
  ASSERT_TRUE(unpack_kept(packed, &back));
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back[0].manifest, bytes);
  EXPECT_EQ(back[0].pieces, all[0].pieces);
  EXPECT_TRUE(back[0].committed);
  EXPECT_EQ(back[1].number, ~std::uint64_t{0});
  EXPECT_FALSE(back[1].committed);
  for (std::size_t bytes_left = 0; bytes_left < packed.size(); ++bytes_left)
    EXPECT_FALSE(unpack_kept(packed.substr(0, bytes_left), &back)) << bytes_left;
  EXPECT_FALSE(unpack_kept(packed + "x", &back));
}

}  // namespace
}  // namespace roam::runtime
