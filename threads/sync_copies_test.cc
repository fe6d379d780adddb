// Values whose copying waits, in Channels, Promises and Futures.
#include <gtest/gtest.h>

#include <algorithm>
#include <new>
#include <set>
#include <stdexcept>
#include <utility>

#include "roam/sync.h"
#include "threads/test_memory.h"
#include "threads/test_threads.h"
#include "threads/ties.h"

namespace roam::threads {
namespace {

void yield() { scheduler().yield(); }

// Others run while it is copied.
struct SlowToCopy {
  explicit SlowToCopy(int v) : value(v) {}
  SlowToCopy(const SlowToCopy& other) : value(other.value) {
    for (int i = 0; i < 5; ++i) yield();
    value = other.value;
    if (fails) throw std::runtime_error("cannot be copied");
  }
  SlowToCopy(SlowToCopy&& other) noexcept : value(std::exchange(other.value, 0)) {}
  SlowToCopy& operator=(SlowToCopy&& other) noexcept {
    value = std::exchange(other.value, 0);
    return *this;
  }
  int value;
  static inline bool fails = false;
};

TEST(Channel, AValueThatIsCopiedWhileOthersReceiveIsReceivedOnce) {
  TestThreads threads;
  Channel<SlowToCopy> channel;
  std::multiset<int> got;
  for (int r = 0; r < 3; ++r) {
    threads.spawn([&] {
      while (const auto value = channel.recv()) got.insert(value->value);
    });
  }
  threads.spawn([&] {
    for (int i = 1; i <= 30; ++i) channel.send(SlowToCopy(i));
    channel.close();
  });
  threads.run();
  EXPECT_EQ(got.size(), 30u);
  for (int i = 1; i <= 30; ++i) EXPECT_EQ(got.count(i), 1u) << i;
}

TEST(Channel, AValueThatCannotBeCopiedToItsReceiverStays) {
  TestThreads threads;
  Channel<SlowToCopy> channel;
  threads.spawn([&] {
    channel.send(SlowToCopy(7));
    channel.send(SlowToCopy(8));
    SlowToCopy::fails = true;
    EXPECT_THROW(channel.recv(), std::runtime_error);
    SlowToCopy::fails = false;
    EXPECT_EQ(channel.size(), 2u);
    EXPECT_EQ(channel.recv().value().value, 7);
    EXPECT_EQ(channel.recv().value().value, 8);
  });
  threads.run();
}

// It has no move of its own, so that each way in and out is a copy.
struct OnlyCopied {
  explicit OnlyCopied(int v) : value(v) {}
  OnlyCopied(const OnlyCopied& other) : value(other.value) {
    for (int i = 0; i < 3; ++i) yield();
    value = other.value;
  }
  int value;
  char room[600] = {};
};

TEST(Channel, ValuesThatCanOnlyBeCopiedGoInAndOutOnce) {
  TestThreads threads;
  Channel<OnlyCopied> channel(2);
  std::multiset<int> got;
  std::size_t most = 0;
  int senders = 3;
  for (int s = 0; s < 3; ++s) {
    threads.spawn([&, s] {
      for (int i = 0; i < 10; ++i) {
        const OnlyCopied value(10 * s + i);
        channel.send(value);
        most = std::max(most, channel.size());
      }
      if (--senders == 0) channel.close();
    });
    threads.spawn([&] {
      while (const auto value = channel.recv()) got.insert(value->value);
    });
  }
  threads.run();
  EXPECT_EQ(got.size(), 30u);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(got.count(i), 1u) << i;
  EXPECT_LE(most, 2u);
}

// Who joins an ended thread has its memory, and would take it along: before a value is copied into
// that, or meanwhile.
void copy_into_what_ends(bool ended_before) {
  TestThreads threads;
  bool over = false;
  Channel<OnlyCopied>* channel = nullptr;
  threads.spawn([&] {
    Tcb* owner = threads.spawn([&] {
      Channel<OnlyCopied> own;
      channel = &own;
      while (!over) yield();
    });
    Tcb* heir = threads.spawn([&] {
      while (!over) yield();
    });
    yield();
    std::uint64_t id = 0;
    const auto end = [&] {
      id = owner->id.exchange(0);
      keep_ties(owner, id);
    };
    if (ended_before) end();
    bool sent = false;
    Tcb* sender = threads.spawn([&] {
      const OnlyCopied value(7);
      channel->send(value);
      sent = true;
    });
    while (!sent && sender->active_heap != &owner->heap) yield();
    EXPECT_FALSE(sent);
    EXPECT_EQ(sender->active_heap, &owner->heap);
    EXPECT_EQ(owner->tied, 1);
    if (!ended_before) end();
    inherit_ties(heir, owner);
    owner->holder = heir;
    EXPECT_EQ(owner->tied, 0);
    EXPECT_FALSE(Scheduler::may_move(heir));
    EXPECT_EQ(sender->active_heap, &heir->heap);
    while (!sent) yield();
    EXPECT_TRUE(Scheduler::may_move(heir));
    EXPECT_TRUE(inherited_ties().empty());
    EXPECT_EQ(channel->recv().value().value, 7);
    owner->holder = nullptr;
    owner->id = id;
    over = true;
  });
  threads.run();
}
TEST(Channel, AValueThatIsCopiedBesideWhatEndsMeanwhileStaysWithItsHeir) {
  copy_into_what_ends(false);
}
TEST(Channel, AValueThatIsCopiedBesideWhatHasEndedStaysWithItsHeir) { copy_into_what_ends(true); }

// A thread that has ended, and whose memory nobody has taken over yet, while `use` runs.
template <class Use>
void beside_what_has_ended(Use use) {
  TestThreads threads;
  bool over = false;
  Channel<OnlyCopied>* channel = nullptr;
  Barrier* barrier = nullptr;
  int completed = 0;
  threads.spawn([&] {
    Tcb* owner = threads.spawn([&] {
      Channel<OnlyCopied> own_channel;
      Barrier own_barrier(1, [&] { ++completed; });
      channel = &own_channel;
      barrier = &own_barrier;
      while (!over) yield();
    });
    yield();
    const std::uint64_t id = owner->id.exchange(0);
    use(channel, barrier, &completed);
    EXPECT_EQ(owner->tied, 0);
    EXPECT_TRUE(inherited_ties().empty());
    owner->id = id;
    over = true;
  });
  threads.run();
}
TEST(Channel, WithoutMemoryToHoldWhatHasEndedNothingIsSentOrTaken) {
  beside_what_has_ended([](Channel<OnlyCopied>* channel, auto*, auto*) {
    const auto send = [&](int v) { channel->send(OnlyCopied(v)); };
    {
      const NoMemory none;
      EXPECT_THROW(send(1), std::bad_alloc);
    }
    EXPECT_EQ(channel->size(), 0u);
    send(2);
    send(3);
    {
      const NoMemory none;
      EXPECT_THROW(channel->recv(), std::bad_alloc);
    }
    EXPECT_EQ(channel->size(), 2u);
    EXPECT_EQ(channel->recv()->value, 2);
    EXPECT_EQ(channel->recv()->value, 3);
  });
}
TEST(Barrier, WithoutMemoryToHoldWhatHasEndedNobodyArrives) {
  beside_what_has_ended([](auto*, Barrier* barrier, const int* completed) {
    {
      const NoMemory none;
      EXPECT_THROW(static_cast<void>(barrier->arrive()), std::bad_alloc);
    }
    EXPECT_EQ(*completed, 0);
    barrier->wait(barrier->arrive());
    EXPECT_EQ(*completed, 1);
  });
}

// While a value is copied beside what has ended, what copies it sends another one beside another
// thread that has ended; both are taken over meanwhile.
struct SendsWhenCopied {
  SendsWhenCopied() = default;
  SendsWhenCopied(const SendsWhenCopied&) {
    if (to != nullptr && iso::current_heap != &scheduler().current()->heap) {
      Channel<OnlyCopied>* const once = std::exchange(to, nullptr);
      const OnlyCopied value(9);
      once->send(value);
      heap_after = iso::current_heap;
    }
  }
  static inline Channel<OnlyCopied>* to = nullptr;
  static inline const iso::Heap* heap_after = nullptr;
};

TEST(Channel, ACopyBesideWhatHasEndedInsideAnotherSuchCopyComesBackToTheHeir) {
  TestThreads threads;
  bool over = false;
  Channel<SendsWhenCopied>* outer = nullptr;
  threads.spawn([&] {
    Tcb* owners[2];
    owners[0] = threads.spawn([&] {
      Channel<SendsWhenCopied> own;
      outer = &own;
      while (!over) yield();
    });
    owners[1] = threads.spawn([&] {
      Channel<OnlyCopied> own;
      SendsWhenCopied::to = &own;
      while (!over) yield();
    });
    Tcb* heir = threads.spawn([&] {
      while (!over) yield();
    });
    yield();
    std::uint64_t ids[2];
    for (int i = 0; i < 2; ++i) ids[i] = owners[i]->id.exchange(0);
    bool sent = false;
    Tcb* sender = threads.spawn([&] {
      const SendsWhenCopied value;
      outer->send(value);
      sent = true;
    });
    while (!sent && sender->active_heap != &owners[1]->heap) yield();
    EXPECT_FALSE(sent);
    for (Tcb* owner : owners) {
      inherit_ties(heir, owner);
      owner->holder = heir;
    }
    while (!sent) yield();
    EXPECT_EQ(SendsWhenCopied::heap_after, &heir->heap);
    EXPECT_TRUE(Scheduler::may_move(heir));
    EXPECT_TRUE(inherited_ties().empty());
    for (int i = 0; i < 2; ++i) {
      owners[i]->holder = nullptr;
      owners[i]->id = ids[i];
    }
    over = true;
  });
  threads.run();
}

TEST(Channel, WhatIsSentWhileItIsClosedIsRefused) {
  TestThreads threads;
  Channel<SlowToCopy> channel;
  bool refused = false;
  threads.spawn([&] {
    try {
      channel.send(SlowToCopy(1));
    } catch (const Error& error) {
      refused = error.code() == Errc::broken_promise;
    }
  });
  threads.spawn([&] {
    channel.close();
    EXPECT_FALSE(channel.recv().has_value());
  });
  threads.run();
  EXPECT_TRUE(refused);
}

TEST(Channel, SenderReceiverAndOwnerStayWhileAValueIsCopied) {
  TestThreads threads;
  threads.spawn([&] {
    Tcb* owner = scheduler().current();
    Channel<SlowToCopy> channel;
    const auto looks = [&](auto does) {
      bool over = false;
      Tcb* one = threads.spawn([&] {
        does();
        EXPECT_TRUE(Scheduler::may_move(scheduler().current()));
        over = true;
      });
      yield();  // it is in the midst
      EXPECT_FALSE(over);
      const std::pair<bool, bool> may{Scheduler::may_move(one), Scheduler::may_move(owner)};
      while (!over) yield();
      return may;
    };
    EXPECT_EQ(looks([&] { channel.send(SlowToCopy(1)); }), std::pair(false, false));
    EXPECT_TRUE(Scheduler::may_move(owner));
    EXPECT_FALSE(looks([&] { channel.recv(); }).first);
    Promise<SlowToCopy> promise;
    Future<SlowToCopy> future = promise.get_future();
    EXPECT_FALSE(looks([&] { promise.set_value(SlowToCopy(1)); }).first);
    EXPECT_FALSE(looks([&] { future.get(); }).first);
    EXPECT_TRUE(Scheduler::may_move(owner));
  });
  threads.run();
}

TEST(Promise, OfTwoWhoGiveAtOnceOneIsRefused) {
  TestThreads threads;
  Promise<SlowToCopy> promise;
  Future<SlowToCopy> future = promise.get_future();
  int refused = 0, given = 0;
  for (int i = 1; i <= 2; ++i) {
    threads.spawn([&, i] {
      try {
        promise.set_value(SlowToCopy(i));
        given = i;
      } catch (const Error& error) {
        refused += error.code() == Errc::broken_promise;
      }
    });
  }
  threads.spawn([&] { EXPECT_EQ(future.get().value, given); });
  threads.run();
  EXPECT_EQ(refused, 1);
}

}  // namespace
}  // namespace roam::threads
