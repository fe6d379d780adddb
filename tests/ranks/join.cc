// join: across ranks, with exceptions, by several, of the ended.
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

struct Wreck : std::logic_error {
  Wreck(std::uint64_t s, std::size_t bytes)
      : std::logic_error("wreck " + std::to_string(s)), seed(s), cargo(bytes) {
    Pattern(seed).fill(cargo.data(), cargo.size());
  }
  void verify() const {
    expect_eq(std::string(what()), "wreck " + std::to_string(seed), "what()");
    Pattern(seed).verify(cargo.data(), cargo.size(), "cargo of the exception");
  }
  std::uint64_t seed;
  std::vector<unsigned char> cargo;
};

// An object outlives the thread that made it, in the memory of who joined that thread: who waits on
// it is the joiner's to wait for.
void inherit_a_channel() {
  static std::shared_ptr<roam::Channel<int>> channel;
  {
    const roam::Thread maker =
        roam::spawn({.rank = 0}, [] { channel = std::make_shared<roam::Channel<int>>(1); });
    while (!channel) roam::this_thread::yield();
    const roam::Thread waiter =
        roam::spawn({.rank = 0}, [] { expect_eq(channel->recv().value(), 5, "what is sent"); });
    roam::this_thread::sleep_for(std::chrono::milliseconds(20));
    maker.join();
    // Others may have the maker's slot now.
    std::vector<roam::Thread> others;
    for (int i = 0; i < 4; ++i)
      others.push_back(roam::spawn({.rank = 0}, [] {
        roam::this_thread::sleep_for(std::chrono::milliseconds(50));
        roam::this_thread::migrate(1);
        expect_eq(roam::rank(), 1, "a thread that nobody waits for goes");
      }));
    try {
      roam::this_thread::migrate(1);
      throw std::runtime_error("it left while a thread waits in its memory");
    } catch (const roam::Error& error) {
      expect_eq(std::string(roam::to_string(error.code())), "pinned", "why it stays");
    }
    channel->send(5);
    waiter.join();
    for (const roam::Thread t : others) t.join();
  }
  channel.reset();
  roam::this_thread::migrate(1);
  expect_eq(roam::rank(), 1, "it goes when nobody waits");
}
SCENARIO(Join, TakesOverWhoWaitsOnWhatItInherits, .ranks_needed = 2) {
  roam::spawn({.rank = 0}, inherit_a_channel).join();
}

// A Promise holds an exception that lies in the memory of who gave it, which has ended.
void give_and_end(roam::Promise<int>* promise) {
  const roam::Thread giver = roam::spawn({.rank = roam::rank()}, [promise] {
    promise->set_exception(std::make_exception_ptr(Wreck(3, 5000)));
  });
  roam::this_thread::sleep_for(std::chrono::milliseconds(5));
  std::optional<roam::Future<int>> future = promise->get_future();
  bool joined = false, left = false;
  const roam::Thread joiner = roam::spawn({.rank = roam::rank()}, [&, giver] {
    giver.join();
    expect_error(roam::Errc::pinned, {"exception"}, [] { roam::this_thread::migrate(1); });
    joined = true;
    while (!left) roam::this_thread::yield();
    roam::this_thread::migrate(1);
  });
  while (!joined) roam::this_thread::yield();
  try {
    future->get();
    fail("get returned");
  } catch (const Wreck& wreck) {
    wreck.verify();
  }
  future.reset();
  *promise = roam::Promise<int>();
  left = true;
  joiner.join();
}
SCENARIO(Join, TakesOverAnExceptionThatAPromiseHolds, .ranks_needed = 2) {
  roam::spawn({.rank = 0}, [] {
    roam::Promise<int> promise;
    give_and_end(&promise);
    roam::this_thread::migrate(1);
  }).join();
}

// Who gives an exception need not be who has it in its memory.
SCENARIO(Join, AnExceptionThatIsGivenOnHoldsWhoHasItInItsMemory, .ranks_needed = 2) {
  roam::spawn({.rank = 0}, [] {
    roam::Promise<int> first, second;
    auto one = std::make_unique<roam::Future<int>>(first.get_future());
    roam::Future<int> two = second.get_future();
    bool given_on = false, refused = false, over = false;
    const roam::Thread maker = roam::spawn({.rank = 0}, [&] {
      first.set_exception(std::make_exception_ptr(Wreck(4, 5000)));
      while (!given_on) roam::this_thread::yield();
      expect_error(roam::Errc::pinned, {"exception"}, [] { roam::this_thread::migrate(1); });
      refused = true;
      while (!over) roam::this_thread::yield();
      roam::this_thread::migrate(1);
    });
    roam::spawn({.rank = 0}, [&] {
      try {
        one->get();
      } catch (const Wreck&) {
        second.set_exception(std::current_exception());
      }
    }).join();
    one.reset();
    first = roam::Promise<int>();
    given_on = true;
    while (!refused) roam::this_thread::yield();
    try {
      two.get();
      fail("get returned");
    } catch (const Wreck& wreck) {
      wreck.verify();
    }
    second = roam::Promise<int>();
    over = true;
    maker.join();
  }).join();
}

// Its tie ends on another rank than the threads that it holds, whose matter it is.
SCENARIO(Join, AFutureThatEndsOnAnotherRankOfTheNodeLetsGo, .ranks_needed = 2) {
  roam::spawn({.rank = 0}, [] {
    if (roam::node_of(1) != roam::node()) return;
    roam::Promise<int> promise;
    roam::Future<int> future = promise.get_future();
    bool given = false, taken = false;
    const roam::Thread giver = roam::spawn({.rank = 0}, [&] {
      promise.set_exception(std::make_exception_ptr(Wreck(5, 5000)));
      given = true;
      while (!taken) roam::this_thread::yield();
      expect_error(roam::Errc::pinned, {"exception"}, [] { roam::this_thread::migrate(1); });
      // The last that refers to it ends elsewhere, and word comes here.
      while (roam::rank() == 0) {
        roam::this_thread::sleep_for(std::chrono::milliseconds(1));
        try {
          roam::this_thread::migrate(1);
        } catch (const roam::Error& error) {
          expect(error.code() == roam::Errc::pinned, "pinned until then");
        }
      }
    });
    const roam::Thread taker = roam::spawn({.rank = 0}, [&] {
      while (!given) roam::this_thread::yield();
      roam::Future<int> mine = std::move(future);
      promise = roam::Promise<int>();
      taken = true;
      roam::this_thread::sleep_for(std::chrono::milliseconds(5));
      roam::this_thread::migrate(1);
      expect_error(roam::Errc::wrong_rank, {"Future"}, [&] { mine.get(); });
    });
    taker.join();
    giver.join();
    roam::this_thread::migrate(1);  // as may who had the Promise
  }).join();
}

SCENARIO(Join, LeavesAnExceptionThatAPromiseHoldsWhereItIs, .ranks_needed = 2) {
  roam::spawn({.rank = 0}, [] {
    roam::Promise<int> promise;
    roam::Future<int> future = promise.get_future();
    roam::Promise<int>* const given = &promise;
    const roam::Thread giver = roam::spawn(
        {.rank = 0}, [given] { given->set_exception(std::make_exception_ptr(Wreck(3, 5000))); });
    roam::this_thread::sleep_for(std::chrono::milliseconds(5));
    roam::spawn({.rank = 1}, [giver] {
      giver.join();
      roam::this_thread::migrate(roam::ranks() - 1);
    }).join();
    try {
      future.get();
      fail("get returned");
    } catch (const Wreck& wreck) {
      wreck.verify();
    }
  }).join();
}

SCENARIO(Join, RethrowsAnExceptionThrownOnAnyRankByItsType) {
  for (int r = 0; r < roam::ranks(); ++r) {
    for (std::size_t bytes : {10, 5000, 3000000}) {
      const roam::Thread child =
          roam::spawn(roam::SpawnOptions{.rank = r}, [bytes] { throw Wreck(bytes, bytes); });
      bool caught = false;
      try {
        child.join();
      } catch (const Wreck& wreck) {
        expect_eq(wreck.cargo.size(), bytes, "bytes of cargo");
        wreck.verify();
        caught = true;
      }
      expect(caught, "the exception arrived");
    }
  }
}

SCENARIO(Join, TheJoinerMovesWithTheExceptionInFlight) {
  for (int r = 0; r < roam::ranks(); ++r) {
    const roam::Thread child = roam::spawn(roam::SpawnOptions{.rank = r}, [] {
      roam::this_thread::migrate(next_rank());
      throw Wreck(5, 100000);
    });
    std::exception_ptr kept;
    try {
      try {
        child.join();
        fail("join returned");
      } catch (const Wreck& wreck) {
        for (int i = 0; i < roam::ranks() + 1; ++i) {
          roam::this_thread::migrate(next_rank());
          wreck.verify();
        }
        throw;
      }
    } catch (const std::logic_error& error) {
      roam::this_thread::migrate(next_rank());
      dynamic_cast<const Wreck&>(error).verify();
      kept = std::current_exception();
    }
    roam::this_thread::migrate(next_rank());
    try {
      std::rethrow_exception(kept);
    } catch (const Wreck& wreck) {
      wreck.verify();
    }
  }
}

SCENARIO(Join, RethrowsWhatIsNoStdException) {
  const roam::Thread number = roam::spawn(roam::SpawnOptions{.rank = stranger()}, [] { throw 42; });
  const roam::Thread text =
      roam::spawn(roam::SpawnOptions{.rank = stranger()}, [] { throw std::string(1000, 't'); });
  const roam::Thread pointer =
      roam::spawn(roam::SpawnOptions{.rank = stranger()}, [] { throw "literal"; });
  expect_eq(expect_throws<int>([&] { number.join(); }, "join"), 42, "the int");
  expect(expect_throws<std::string>([&] { text.join(); }, "join") == std::string(1000, 't'),
         "the string");
  // By value: compiled by Clang, a handler of a reference to a pointer does not see the pointer of
  // an exception that rethrow_exception throws.
  try {
    pointer.join();
    fail("join returned");
  } catch (const char* literal) {
    expect_eq(std::string(literal), "literal", "the literal");
  }
}

SCENARIO(Join, RethrowsNestedExceptionsWhole) {
  const roam::Thread child = roam::spawn(roam::SpawnOptions{.rank = stranger()}, [] {
    try {
      throw Wreck(1, 1000);
    } catch (...) {
      std::throw_with_nested(std::runtime_error("outer"));
    }
  });
  bool inner = false;
  try {
    child.join();
  } catch (const std::runtime_error& error) {
    roam::this_thread::migrate(next_rank());
    expect_eq(std::string(error.what()), "outer", "what()");
    try {
      std::rethrow_if_nested(error);
    } catch (const Wreck& wreck) {
      wreck.verify();
      inner = true;
    }
  }
  expect(inner, "the nested exception is there");
}

struct Tally {
  int caught = 0, others = 0;
} tally;  // the process's: one on each rank

// Those that wait with it are told that there was one; those that come later return, as nothing is
// kept for them.
SCENARIO(Join, OfSeveralJoinersAllGoOnAndOneGetsTheException) {
  tally = {};
  const int home = roam::rank();
  bool waiting = false;
  roam::Latch latch(1);
  const roam::Thread child = roam::spawn([&] {
    waiting = true;
    latch.wait();
    throw Wreck(9, 5000);
  });
  std::vector<roam::Thread> joiners;
  for (int i = 0; i < 3 * roam::ranks(); ++i) {
    joiners.push_back(roam::spawn(roam::SpawnOptions{.rank = i % roam::ranks()}, [child, home] {
      bool caught = false;
      try {
        child.join();
      } catch (const Wreck& wreck) {
        wreck.verify();
        caught = true;
      } catch (const roam::Error& error) {
        expect(error.code() == roam::Errc::thread_ended, "the others get Error(thread_ended)");
        expect_contains(error.what(), {"wreck 9"});
      }
      roam::this_thread::migrate(home);
      ++(caught ? tally.caught : tally.others);
    }));
  }
  yield_until([&] { return waiting; });
  latch.count_down();
  for (roam::Thread joiner : joiners) joiner.join();
  expect_eq(tally.caught, 1, "joiners that got the exception");
  expect_eq(tally.others, 3 * roam::ranks() - 1, "joiners that did not");
}

SCENARIO(Join, OfAnEndedThreadReturnsAtOnceAndRethrowsOnce) {
  static int ended;  // the process's
  ended = 0;
  const int home = roam::rank();
  std::vector<roam::Thread> children;
  for (int r = 0; r < roam::ranks(); ++r) {
    children.push_back(roam::spawn(roam::SpawnOptions{.rank = r}, [home, r] {
      roam::this_thread::migrate(home);
      ++ended;
      roam::this_thread::migrate(r);
      throw Wreck(r, 2000);
    }));
  }
  yield_until([&] { return ended == roam::ranks(); });
  for (int i = 0; i < 100; ++i) roam::this_thread::yield();
  for (int r = 0; r < roam::ranks(); ++r) {
    expect_throws<Wreck>([&] { children[r].join(); }, "the first join").verify();
    children[r].join();
    on_rank(next_rank(), [child = children[r]] { child.join(); });
  }
}

SCENARIO(Join, OfOneselfAndOfNobodyIsRefused) {
  expect_error(roam::Errc::would_deadlock, {}, [] { roam::this_thread::self().join(); });
  expect_error(roam::Errc::no_such_thread, {}, [] { roam::Thread().join(); });
  on_rank(next_rank(), [] {
    expect_error(roam::Errc::would_deadlock, {}, [] { roam::join(roam::this_thread::self()); });
  });
}

SCENARIO(Join, WaitsForAThreadThatMovesMeanwhile) {
  std::vector<roam::Thread> children;
  for (int i = 0; i < 20; ++i) {
    children.push_back(roam::spawn([i] {
      for (int k = 0; k < 50; ++k)
        roam::this_thread::migrate((roam::rank() + 1 + i) % roam::ranks());
      if (i % 2) throw Wreck(i, 100);
    }));
  }
  for (int i = 0; i < 20; ++i) {
    if (i % 2) {
      expect_throws<Wreck>([&] { children[i].join(); }, "join of a thread that threw").verify();
    } else {
      children[i].join();
    }
    roam::this_thread::migrate(next_rank());
  }
}

// Each joins the next, on another rank: an exception goes through all of them.
void link(int depth) {
  if (depth == 0) throw Wreck(77, 1000);
  std::vector<std::string> kept(10, std::string(50, static_cast<char>('a' + depth % 26)));
  try {
    roam::spawn(roam::SpawnOptions{.rank = next_rank()}, link, depth - 1).join();
  } catch (...) {
    expect(
        kept == std::vector<std::string>(10, std::string(50, static_cast<char>('a' + depth % 26))),
        "what a link kept");
    throw;
  }
}

SCENARIO(Join, AnExceptionPassesThroughAChainOverAllRanks) {
  expect_throws<Wreck>([] { link(60); }, "the chain").verify();
}

struct Item {
  Item* next;
  std::uint64_t value;
};

SCENARIO(Join, MemoryOfAChildOnTheSameNodeBecomesTheJoinersAndMovesWithIt) {
  for (int i = 0; i < 3; ++i) {
    Item* list = nullptr;
    unsigned char* block = nullptr;
    // On another rank of the node: it writes to this thread's frame, which is shared memory.
    on_rank(i == 0 ? roam::rank() : neighbour(), [&list, &block] {
      for (std::uint64_t k = 0; k < 1000; ++k) list = new Item{list, mix(k)};
      block = new unsigned char[2000000];
      Pattern(6).fill(block, 2000000);
    });
    for (int k = 0; k < roam::ranks(); ++k) {
      roam::this_thread::migrate(next_rank());
      Pattern(6).verify(block, 2000000, "block of the ended child");
    }
    roam::this_thread::migrate(stranger());
    for (std::uint64_t k = 1000; k-- > 0;) {
      expect_eq(list->value, mix(k), "value in the ended child's list");
      Item* next = list->next;
      delete list;
      list = next;
    }
    delete[] block;
  }
}

SCENARIO(Join, MemoryOfDescendantsComesUpThroughTheirJoiners) {
  std::vector<std::string*>* all = nullptr;
  roam::spawn([&all] {
    all = new std::vector<std::string*>;
    for (int i = 0; i < 20; ++i) {
      roam::spawn([&] {
        roam::spawn([&] {
          all->push_back(new std::string(3000, static_cast<char>('a' + all->size())));
        }).join();
      }).join();
    }
  }).join();
  roam::this_thread::migrate(stranger());
  for (std::size_t i = 0; i < 20; ++i) {
    expect(*(*all)[i] == std::string(3000, static_cast<char>('a' + i)), "string of a grandchild");
    delete (*all)[i];
  }
  delete all;
}

}  // namespace
}  // namespace roam_test
