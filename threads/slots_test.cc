#include "threads/slots.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "base/os/memory.h"
#include "base/sanitizers.h"
#include "isomalloc/range_pool.h"
#include "roam/error.h"
#include "threads/scheduler.h"
#include "threads/test_threads.h"

namespace roam::threads {
namespace {

constexpr std::size_t kStack = 256 << 10;

void yield() { scheduler().yield(); }
Tcb* self() { return scheduler().current(); }
Slots& slots() { return scheduler().slots(); }

TEST(Slots, SlotsOfEndedThreadsAreUsedAgainForThreadsThatKnowNothingOfThem) {
  TestThreads threads;
  std::vector<Address> slots;
  for (int i = 0; i < 200; ++i) {
    Tcb* t = threads.spawn(
        [] {
          EXPECT_EQ(errno, 0);
          EXPECT_EQ(std::current_exception(), nullptr);
          EXPECT_EQ(self()->pins + self()->locks + self()->open_objects + self()->tied, 0);
          EXPECT_EQ(self()->system_heaps, 0);
          EXPECT_EQ(self()->move_to, -1);
          EXPECT_EQ(self()->hops, 0u);
          EXPECT_EQ(self()->exception, nullptr);
          errno = 5;
          self()->hops = 7;
          self()->system_heaps = 1;  // of a SystemHeap that nothing destroyed
          throw 1;
        },
        i % 2 == 0 ? "even" : std::string(100, 'o'));
    EXPECT_EQ(std::string(t->name()), i % 2 == 0 ? "even" : std::string(100, 'o'));
    slots.push_back(t->slot.begin);
    threads.run();
  }
  for (const Address slot : slots) EXPECT_EQ(slot, slots[0]);
}

TEST(Slots, ManyThreadsLiveAtOnceAndEveryAddressComesBack) {
  TestThreads threads(false, std::size_t{64} << 30);
  iso::RangePool& pool = iso::pool(iso::Region::kSlots);
  const std::size_t before = pool.free_bytes();
  constexpr int kThreads =
      static_cast<int>(std::min(20'000 / sanitizers::kStackFactor, sanitizers::kMostThreads / 2));
  std::vector<Tcb*> made;
  int ran = 0;
  for (int i = 0; i < kThreads; ++i) {
    made.push_back(threads.spawn([&ran] {
      yield();
      ++ran;
    }));
  }
  std::size_t seen = 0;
  scheduler().slots().for_each([&](const Tcb*) { ++seen; });
  EXPECT_EQ(seen, static_cast<std::size_t>(kThreads));
  std::sort(made.begin(), made.end());
  for (std::size_t i = 1; i < made.size(); ++i) {
    ASSERT_GE(made[i]->slot.begin, made[i - 1]->slot.end());
  }
  threads.run();
  EXPECT_EQ(ran, kThreads);
  scheduler().slots().drop_resting(0);
  EXPECT_EQ(pool.free_bytes(), before);
}

TEST(Slots, NamesOfAnyLengthAreKept) {
  TestThreads threads;
  for (const std::size_t n : {0ul, 1ul, 30ul, 31ul, 32ul, 33ul, 1000ul}) {
    const std::string name(n, 'n');
    Tcb* t = threads.spawn([] {}, name);
    EXPECT_EQ(t->name(), name);
  }
  threads.run();
}

// Memory that was kept where the fence of an earlier slot was belongs to a fresh slot once
// whoever kept it has given it back.
TEST(Slots, AFreshSlotWaitsForWhoGivesBackMemoryThere) {
  TestThreads threads;
  Tcb* first = slots().make(kStack, "first");
  const Range slot = first->slot;
  slots().retire(first);
  slots().drop_resting(0);
  iso::UnitMap& units = iso::arena().units();
  const Range kept{slot.begin + iso::kUnitBytes, iso::kUnitBytes};
  units.set_kind(kept.begin, iso::UnitKind::kEvicting);
  std::thread giver([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    units.unmark(kept);
  });
  Tcb* second = slots().make(kStack, "second");
  giver.join();
  ASSERT_EQ(second->slot, slot);
  EXPECT_EQ(units.range_at(slot.begin), slot) << "all of it is marked";
  slots().retire(second);
}

TEST(Slots, AThreadThatNeverRanIsGivenBack) {
  TestThreads threads;
  Tcb* first = scheduler().slots().make(256 << 10, "never");
  const Range slot = first->slot;
  scheduler().slots().retire(first);
  int ran = 0;
  Tcb* second = threads.spawn([&] { ++ran; });
  EXPECT_EQ(second->slot, slot);
  threads.run();
  EXPECT_EQ(ran, 1);
}

TEST(Slots, StacksThatCannotBeHadAreRefusedAndTheRestGoesOn) {
  TestThreads threads(false, 64 << 20);
  try {
    scheduler().slots().make(std::size_t{1} << 40, "huge");
    ADD_FAILURE() << "was made";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::bad_option);
  }
  EXPECT_THROW(scheduler().slots().make(SIZE_MAX, "more"), Error);
  int made = 0, ran = 0;
  try {
    for (;; ++made) threads.spawn([&] { ++ran; });
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::out_of_address_space);
    EXPECT_NE(std::string(error.what()).find("ROAM_ARENA"), std::string::npos) << error.what();
  }
  EXPECT_GT(made, 10);
  threads.run();
  EXPECT_EQ(ran, made);
  threads.spawn([&] { ++ran; });
  threads.run();
  EXPECT_EQ(ran, made + 1);
}

TEST(Slots, AStackThatTheKernelHasNoMemoryForIsRefused) {
  TestThreads threads;
  os::fail_after = 1;
  try {
    scheduler().slots().make(256 << 10, "unlucky");
    ADD_FAILURE() << "was made";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::out_of_memory);
  }
  os::fail_after = 0;
  bool ran = false;
  threads.spawn([&] { ran = true; });
  threads.run();
  EXPECT_TRUE(ran);
}

TEST(Slots, AnAddressIsOwnedByTheThreadInWhoseMemoryItLies) {
  TestThreads threads;
  for (const std::size_t stack : {16384ul, 262144ul, 8ul << 20}) {
    threads.spawn(
        [] {
          char local = 0;
          void* small = self()->heap.allocate(8);
          void* large = self()->heap.allocate(1 << 20);
          for (const void* p : std::initializer_list<const void*>{
                   &local, self(), small, large, static_cast<char*>(large) + (1 << 20) - 1,
                   self()->slot.pointer(), reinterpret_cast<void*>(self()->slot.end() - 1)}) {
            EXPECT_EQ(detail::owner_of(p), self()) << p;
          }
          EXPECT_EQ(detail::tcb_of_heap(&self()->heap), self());
        },
        "owner", stack);
  }
  threads.run();
  int local = 0;
  EXPECT_EQ(detail::owner_of(&local), nullptr);
  EXPECT_EQ(detail::owner_of(nullptr), nullptr);
}

// ---- resting, shrinking ----

TEST(Slots, AsManyRestAsAreKept) {
  TestThreads threads;
  iso::RangePool& pool = iso::pool(iso::Region::kSlots);
  const std::size_t before = pool.free_bytes();
  const std::size_t each = Slots::bytes(kStack) + iso::arena().layout().fence_bytes();
  std::vector<Tcb*> made;
  for (int i = 0; i < 5; ++i) made.push_back(slots().make(kStack, "rests"));
  EXPECT_EQ(pool.free_bytes(), before - 5 * each);
  for (Tcb* t : made) {
    EXPECT_TRUE(slots().may_rest(t));
    slots().retire(t);
  }
  EXPECT_EQ(pool.free_bytes(), before - 5 * each);
  slots().drop_resting(2);
  EXPECT_EQ(pool.free_bytes(), before - 2 * each);
  EXPECT_EQ(slots().make(kStack, "again"), made[1]) << "the last of those that rest still";
  slots().retire(made[1]);
  slots().drop_resting(0);
  EXPECT_EQ(pool.free_bytes(), before);
}

TEST(Slots, LargerStacksDoNotRest) {
  TestThreads threads;
  iso::RangePool& pool = iso::pool(iso::Region::kSlots);
  const std::size_t before = pool.free_bytes();
  Tcb* t = slots().make(4 << 20, "large");
  EXPECT_GE(t->stack().bytes, std::size_t{4} << 20);
  EXPECT_FALSE(slots().may_rest(t));
  std::memset(reinterpret_cast<void*>(t->stack().begin), 1, t->stack().bytes);
  slots().retire(t);
  EXPECT_EQ(pool.free_bytes(), before);
}

TEST(Slots, AShrunkOneKeepsItsControlBlockAndGivesTheRestBack) {
  TestThreads threads;
  iso::RangePool& pool = iso::pool(iso::Region::kSlots);
  const std::size_t before = pool.free_bytes();
  Tcb* t = slots().make(kStack, "ended");
  const Range slot = t->slot;
  slots().shrink(t);
  EXPECT_EQ(t->slot, (Range{slot.end() - iso::kUnitBytes, iso::kUnitBytes}));
  EXPECT_STREQ(t->name(), "ended");
  EXPECT_EQ(pool.free_bytes(), before - iso::kUnitBytes);
  slots().shrink(t);  // there is no less
  EXPECT_EQ(pool.free_bytes(), before - iso::kUnitBytes);
  EXPECT_FALSE(slots().may_rest(t));
  slots().retire(t);
  EXPECT_EQ(pool.free_bytes(), before);
}

TEST(Slots, ALongNameIsCutToWhatTheControlBlockHolds) {
  TestThreads threads;
  Tcb* t = slots().make(kStack, std::string(100, 'n'));
  ASSERT_NE(t->long_name, nullptr);
  Slots::shorten_name(t);
  EXPECT_EQ(t->name(), std::string(sizeof t->short_name - 1, 'n'));
  EXPECT_TRUE(t->heap.release_empty());
  slots().retire(t);
}

TEST(Slots, OnlyThreadsOfThisRankWithAnIdAreVisited) {
  TestThreads threads;
  Tcb* mine = slots().make(kStack, "mine");
  Tcb* away = slots().make(kStack, "away");
  Tcb* unnamed = slots().make(kStack, "unnamed");
  mine->id.store(1);
  away->id.store(2);
  away->rank.store(TestThreads::kRank + 1);
  const auto seen = [] {
    std::vector<const Tcb*> all;
    slots().for_each([&](const Tcb* t) { all.push_back(t); });
    return all;
  };
  EXPECT_EQ(seen(), std::vector<const Tcb*>{}) << "none has come";
  for (const Tcb* t : {mine, away, unnamed}) slots().came(t);
  EXPECT_EQ(seen(), std::vector<const Tcb*>{mine});
  slots().left(mine);
  EXPECT_EQ(seen(), std::vector<const Tcb*>{});
  slots().left(away);
  slots().left(unnamed);
  for (Tcb* t : {mine, away, unnamed}) slots().retire(t);
}

// A fault handler would find nothing there, if the thread left the node after it was seen in the
// unit map. There is none here: whatever faults ends the test.
TEST(Slots, AThreadOfAnotherRankThatThisOneHasNotReachedYetIsPassedOver) {
  if (!os::has_cheap_guards()) GTEST_SKIP() << "nothing is sealed where guards are not cheap";
  TestThreads threads(true);
  Tcb* mine = slots().make(kStack, "mine");
  Tcb* theirs = slots().make(kStack, "theirs");
  mine->id.store(1);
  theirs->id.store(2);
  theirs->rank.store(TestThreads::kRank + 1);
  const Range slot = theirs->slot, head{slot.end() - iso::kUnitBytes, iso::kUnitBytes};
  iso::arena().units().unmark(slot);  // it was on another node,
  iso::arena().seals().seal_absent(slot);
  iso::arena().units().mark(slot, iso::UnitKind::kSlot);  // and another rank of this one took it
  iso::arena().units().set_kind(head.begin, iso::UnitKind::kSlotHead);
  ASSERT_FALSE(iso::readable(reinterpret_cast<Address>(theirs)));
  slots().came(mine);
  std::vector<const Tcb*> seen;
  slots().for_each([&](const Tcb* t) { seen.push_back(t); });
  EXPECT_EQ(seen, std::vector<const Tcb*>{mine});
  iso::arena().admit(slot);
  slots().left(mine);
  for (Tcb* t : {mine, theirs}) slots().retire(t);
}

}  // namespace
}  // namespace roam::threads
