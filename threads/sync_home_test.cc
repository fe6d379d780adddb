#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "roam/sync.h"
#include "threads/test_threads.h"
#include "threads/ties.h"

namespace roam::threads {
namespace {

using namespace std::chrono_literals;

void yield() { scheduler().yield(); }
Tcb* self() { return scheduler().current(); }

template <class F>
void expect_refused(Errc code, F f) {
  try {
    f();
    ADD_FAILURE() << "was accepted, not refused with " << to_string(code);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
  }
}

// An object in the memory of a thread that has moved is not used from here.
TEST(Sync, AnObjectInTheMemoryOfAThreadOnAnotherRankIsRefused) {
  TestThreads threads;
  struct Objects {
    Mutex mutex;
    ConditionVariable condition;
    Latch latch{1};
    Barrier barrier{2};
    Channel<int> channel;
  };
  threads.spawn([&] {
    Objects* objects = new (self()->heap.allocate(sizeof(Objects))) Objects;
    Tcb* owner = self();
    threads.spawn([objects, owner] {
      owner->rank.store(TestThreads::kRank + 1);
      expect_refused(Errc::wrong_rank, [&] { objects->mutex.lock(); });
      expect_refused(Errc::wrong_rank, [&] { objects->mutex.try_lock(); });
      expect_refused(Errc::wrong_rank, [&] { objects->condition.notify_one(); });
      expect_refused(Errc::wrong_rank, [&] { objects->condition.notify_all(); });
      expect_refused(Errc::wrong_rank, [&] { objects->latch.count_down(); });
      expect_refused(Errc::wrong_rank, [&] { objects->latch.wait(); });
      expect_refused(Errc::wrong_rank, [&] { static_cast<void>(objects->barrier.arrive()); });
      expect_refused(Errc::wrong_rank, [&] { objects->channel.send(1); });
      expect_refused(Errc::wrong_rank, [&] { objects->channel.size(); });
      expect_refused(Errc::wrong_rank, [&] { objects->channel.empty(); });
      expect_refused(Errc::wrong_rank, [&] { objects->channel.closed(); });
      owner->rank.store(TestThreads::kRank);
      objects->mutex.lock();
      objects->mutex.unlock();
      scheduler().make_ready(owner);
    });
    scheduler().block("test", nullptr);
    objects->~Objects();
    owner->heap.free(objects);
  });
  threads.run();
}

TEST(Sync, APromiseIsNotGivenAnExceptionThatIsNone) {
  TestThreads threads;
  threads.spawn([] {
    Promise<int> promise;
    Future<int> future = promise.get_future();
    expect_refused(Errc::bad_option, [&] { promise.set_exception(nullptr); });
    promise.set_value(3);
    EXPECT_EQ(future.get(), 3);
  });
  threads.run();
}

TEST(Sync, WhoseMemoryHoldsAnObjectIsPinnedWhileOthersWaitOnIt) {
  TestThreads threads;
  threads.spawn([&] {
    Latch latch(1);
    Tcb* owner = self();
    for (int i = 0; i < 3; ++i) threads.spawn([&latch] { latch.wait(); });
    EXPECT_TRUE(Scheduler::may_move(owner));
    yield();
    EXPECT_EQ(owner->tied, 3);
    EXPECT_FALSE(Scheduler::may_move(owner));
    latch.count_down();
    EXPECT_FALSE(Scheduler::may_move(owner)) << "they are to look at it";
    yield();
    EXPECT_EQ(owner->tied, 0);
    EXPECT_TRUE(Scheduler::may_move(owner));
    Mutex mutex;
    ConditionVariable condition;
    threads.spawn([&] {
      std::unique_lock lock(mutex);
      condition.wait_for(lock, 1ms);
    });
    yield();
    EXPECT_EQ(owner->tied, 1);
    scheduler().sleep_until(now_ns() + 3'000'000);
    yield();
    EXPECT_EQ(owner->tied, 0) << "also when the time ran out";
  });
  threads.run();
}

TEST(Sync, WhoseMemoryHoldsAMutexIsPinnedWhileAnotherHoldsIt) {
  TestThreads threads;
  threads.spawn([&] {
    Tcb* owner = self();
    Mutex mutex;
    mutex.lock();
    EXPECT_EQ(owner->tied, 0) << "one's own pins by itself";
    mutex.unlock();
    Tcb* holder = threads.spawn([&] {
      EXPECT_TRUE(mutex.try_lock());
      yield();
      mutex.unlock();
      EXPECT_TRUE(Scheduler::may_move(owner));
      mutex.lock();
      for (int i = 0; i < 3; ++i) yield();
      mutex.unlock();
    });
    EXPECT_TRUE(Scheduler::may_move(owner));
    for (int i = 0; i < 2; ++i) {
      yield();
      EXPECT_FALSE(Scheduler::may_move(owner));
      EXPECT_EQ(owner->tied, 1);
    }
    scheduler().ask_to_move(owner, TestThreads::kRank + 1);
    while (holder->locks != 0) {
      EXPECT_TRUE(threads.departures.empty());
      yield();
    }
    EXPECT_EQ(owner->tied, 0);
    EXPECT_EQ(threads.departures.size(), 1u) << "it goes when it is given back";
  });
  threads.run();
}

// From one that waits to the next, and back to the owner.
TEST(Sync, AMutexThatIsHandedOverPinsItsOwnerAsLongAsAnotherHasIt) {
  TestThreads threads;
  threads.spawn([&] {
    Tcb* owner = self();
    Mutex mutex;
    int left = 3;
    for (int i = 0; i < 3; ++i) {
      threads.spawn([&] {
        for (int round = 0; round < 4; ++round) {
          mutex.lock();
          EXPECT_FALSE(Scheduler::may_move(owner));
          yield();
          mutex.unlock();  // and takes it before who was woken, who is given it the next time
        }
        --left;
      });
    }
    yield();
    while (left > 0) {
      mutex.lock();
      EXPECT_EQ(owner->locks, 1);
      yield();
      mutex.unlock();
    }
    yield();
    EXPECT_EQ(owner->tied, 0);
    EXPECT_TRUE(Scheduler::may_move(owner));
  });
  threads.run();
}

// Its holder joins the thread in whose memory it lies.
TEST(Sync, AMutexThatItsHolderInheritsKeepsNobodyOnceItIsUnlocked) {
  TestThreads threads;
  bool over = false;
  threads.spawn([&] {
    Tcb* owner = nullptr;
    Mutex* mutex = nullptr;
    owner = threads.spawn([&] {
      Mutex own;
      mutex = &own;
      while (!over) yield();
    });
    yield();
    mutex->lock();
    EXPECT_EQ(owner->tied, 1);
    const std::uint64_t id = owner->id.exchange(0);
    keep_ties(owner, id);
    inherit_ties(self(), owner);
    owner->holder = self();  // whose memory it is now
    EXPECT_EQ(self()->tied, 1);
    mutex->unlock();
    EXPECT_EQ(self()->tied, 0);
    EXPECT_TRUE(Scheduler::may_move(self()));
    EXPECT_TRUE(inherited_ties().empty());
    owner->holder = nullptr;
    owner->id = id;
    over = true;
  });
  threads.run();
}

// Nobody waits yet, and the object is another's.
TEST(Sync, WhoEndsAPhaseOfABarrierStaysWhileItsCompletionWaitsAndSoDoesTheOwner) {
  TestThreads threads;
  threads.spawn([&] {
    Tcb* owner = self();
    bool inside = false, over = false;
    Barrier barrier(1, [&] {
      inside = true;
      for (int i = 0; i < 3; ++i) yield();
      inside = false;
    });
    Tcb* last = threads.spawn([&] {
      barrier.arrive_and_wait();
      EXPECT_TRUE(Scheduler::may_move(self()));
      over = true;
    });
    yield();
    EXPECT_TRUE(inside);
    EXPECT_FALSE(Scheduler::may_move(last));
    EXPECT_FALSE(Scheduler::may_move(owner));
    while (!over) yield();
    EXPECT_TRUE(Scheduler::may_move(owner));
  });
  threads.run();
}

// Who ends as soon as it has woken others is nothing to them when they run, and neither is who has
// its place.
TEST(Sync, TiesEndWithTheirThread) {
  TestThreads threads;
  Tcb *ended = nullptr, *next = nullptr;
  threads.spawn([&] {
    Tcb* waiter = nullptr;
    Latch* latch = nullptr;
    ended = threads.spawn([&] {
      Latch own(1);
      latch = &own;
      yield();
      EXPECT_EQ(self()->tied, 1);
      own.count_down();
      EXPECT_EQ(self()->tied, 1);
    });
    waiter = threads.spawn([&] { latch->wait(); });
    yield();
    yield();
    yield();
    EXPECT_EQ(waiter->tied_to, nullptr);
    next = threads.spawn([&] { EXPECT_EQ(self()->tied, 0); });
    yield();
  });
  threads.run();
}

TEST(Sync, AnExceptionTieHoldsItsGiverAndItsTaker) {
  TestThreads threads;
  bool looked = false;
  Tcb* giver = nullptr;
  threads.spawn([&] {
    Tcb* owner = self();
    {
      detail::ExceptionTie tie;
      threads.spawn([&] {
        tie.tie(self()->slot.pointer(), &tie);
        giver = self();
        while (!looked) yield();
      });
      while (giver == nullptr) yield();
      EXPECT_FALSE(Scheduler::may_move(giver));
      EXPECT_FALSE(Scheduler::may_move(owner));
    }
    EXPECT_TRUE(Scheduler::may_move(giver));
    EXPECT_TRUE(Scheduler::may_move(owner));
    looked = true;
  });
  threads.run();
}

// As when the giver has ended and another thread has joined it, and that one has been joined too.
TEST(Sync, AnExceptionTieHoldsWhoInheritsTheGiversMemory) {
  TestThreads threads;
  bool over = false;
  const auto idle = [&] {
    while (!over) yield();
  };
  threads.spawn([&] {
    Tcb* giver = threads.spawn(idle);
    Tcb* heir = threads.spawn(idle);
    Tcb* last = threads.spawn(idle);
    const auto end = [](Tcb* t, Tcb* heir) {
      const std::uint64_t id = t->id.load();
      keep_ties(t, id);
      t->id = 0;
      inherit_ties(heir, t);
      t->id = id;
    };
    {
      std::optional<detail::ExceptionTie> tie(std::in_place);
      tie->tie(giver->slot.pointer(), nullptr);
      EXPECT_EQ(giver->tied, 1);
      end(giver, heir);
      EXPECT_EQ(giver->tied, 0);
      EXPECT_FALSE(Scheduler::may_move(heir));
      giver->id = giver->id + 1'000'000;  // its place is another's
      end(heir, last);
      heir->id = heir->id + 1'000'000;
      EXPECT_TRUE(Scheduler::may_move(heir));
      EXPECT_FALSE(Scheduler::may_move(last));
      tie.reset();
      EXPECT_TRUE(Scheduler::may_move(last));
      EXPECT_EQ(giver->tied + heir->tied + last->tied, 0);
      EXPECT_TRUE(inherited_ties().empty());
      giver->id = giver->id - 1'000'000;
      heir->id = heir->id - 1'000'000;
    }
    over = true;
  });
  threads.run();
}

// As when a thread sets an exception that lies in what another, ended one has left.
TEST(Sync, AnExceptionTieOfAnEndedThreadHoldsWhoInheritsItsMemory) {
  TestThreads threads;
  bool over = false;
  threads.spawn([&] {
    const auto idle = [&] {
      while (!over) yield();
    };
    Tcb* ended = threads.spawn(idle);
    Tcb* heir = threads.spawn(idle);
    const std::uint64_t id = ended->id.exchange(0);
    {
      detail::ExceptionTie first, second;
      first.tie(ended->slot.pointer(), nullptr);
      inherit_ties(heir, ended);
      ended->id = id + 1'000'000;  // its place is another's, which ends too
      ended->id = 0;
      second.tie(ended->slot.pointer(), nullptr);
      EXPECT_EQ(heir->tied, 1);
      EXPECT_EQ(ended->tied, 1);
    }
    EXPECT_EQ(heir->tied, 0);
    EXPECT_EQ(ended->tied, 0);
    EXPECT_TRUE(Scheduler::may_move(heir));
    EXPECT_EQ(self()->tied, 0);
    EXPECT_TRUE(inherited_ties().empty());
    ended->id = id;
    over = true;
  });
  threads.run();
}

// Its place is another's by then, or not this rank's.
TEST(Sync, AnExceptionTieThatIsNotThisRanksIsTheHosts) {
  TestThreads threads;
  threads.spawn([&] {
    Tcb* giver = threads.spawn([] {});
    const std::uint64_t id = giver->id;
    {
      detail::ExceptionTie tie;
      tie.tie(giver->slot.pointer(), nullptr);
      giver->rank = TestThreads::kRank + 1;
    }
    EXPECT_EQ(giver->tied, 1) << "another process's count was changed";
    ASSERT_EQ(threads.untied.size(), 1u);
    EXPECT_EQ(threads.untied[0], std::pair(giver, id));
    EXPECT_FALSE(untie_here(giver, id));
    giver->rank = TestThreads::kRank;
    EXPECT_TRUE(untie_here(giver, id));
    EXPECT_EQ(giver->tied, 0);
  });
  threads.run();
}

TEST(Sync, AnExceptionOnAnotherRankTiesNobody) {
  TestThreads threads;
  threads.spawn([&] {
    Tcb* giver = threads.spawn([] {});
    detail::ExceptionTie tie;
    giver->rank = TestThreads::kRank + 1;
    EXPECT_THROW(tie.tie(giver->slot.pointer(), &tie), Error);
    giver->rank = TestThreads::kRank;
    EXPECT_EQ(giver->tied + self()->tied, 0);
  });
  threads.run();
}

TEST(Sync, AStandardExceptionOfAPromiseIsCopiedAndTiesNobody) {
  TestThreads threads;
  Promise<int> promise;
  Future<int> future = promise.get_future();
  threads.spawn([&] {
    std::out_of_range original(std::string(300, 'o'));
    promise.set_exception(std::make_exception_ptr(original));
    EXPECT_TRUE(Scheduler::may_move(self()));
    try {
      future.get();
      ADD_FAILURE() << "gave a value";
    } catch (const std::out_of_range& error) {
      EXPECT_EQ(error.what(), std::string(300, 'o'));
      EXPECT_NE(error.what(), original.what()) << "the text is shared";
    }
  });
  threads.run();
}

TEST(Sync, AWaiterThatIsAskedToMoveGoesBeforeItsCallReturns) {
  TestThreads threads;
  Latch latch(1);
  Tcb* waiter = threads.spawn([&] {
    latch.wait();
    EXPECT_EQ(threads.departures.size(), 1u);
  });
  threads.spawn([&] {
    scheduler().ask_to_move(waiter, 4);
    EXPECT_EQ(waiter->state, State::kBlocked);
    latch.count_down();
  });
  threads.run();
  ASSERT_EQ(threads.departures.size(), 1u);
  EXPECT_EQ(threads.departures[0].first, waiter);
}

}  // namespace
}  // namespace roam::threads
