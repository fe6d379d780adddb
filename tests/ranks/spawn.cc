// Where a thread starts, what it is called, and what spawn refuses.
#include <alloca.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

SCENARIO(Spawn, StartsOnTheRankAskedFor) {
  for (int r = 0; r < roam::ranks(); ++r) {
    on_rank(r, [r] {
      expect_eq(roam::rank(), r, "rank at the start");
      expect_eq(roam::node(), roam::node_of(r), "node at the start");
    });
  }
  roam::this_thread::migrate(roam::ranks() - 1);
  on_rank(-1,
          [] { expect_eq(roam::rank(), roam::ranks() - 1, "rank of a child that starts here"); });
}

SCENARIO(Spawn, RefusesARankThatIsNot) {
  for (int bad : {roam::ranks(), roam::ranks() + 7, -2, 1 << 30}) {
    expect_error(roam::Errc::no_such_rank, {std::to_string(bad), std::to_string(roam::ranks() - 1)},
                 [bad] { roam::spawn(roam::SpawnOptions{.rank = bad}, [] {}); });
  }
  on_rank(0, [] {});
}

SCENARIO(Places, NodesAreNumberedFromZeroAndRanksOfANodeAreTogether) {
  std::set<int> nodes;
  for (int r = 0; r < roam::ranks(); ++r) {
    nodes.insert(roam::node_of(r));
    on_rank(r, [r] { expect_eq(roam::node(), roam::node_of(r), "node"); });
  }
  expect(*nodes.begin() == 0 && *nodes.rbegin() + 1 == static_cast<int>(nodes.size()),
         "nodes are numbered from 0 without a gap");
  for (int bad : {-1, roam::ranks()}) {
    expect_error(roam::Errc::no_such_rank, {std::to_string(bad)},
                 [bad] { (void)roam::node_of(bad); });
  }
}

SCENARIO(Names, AreKeptWhateverTheirLength) {
  for (std::size_t length : {0, 1, 15, 16, 31, 32, 100, 3000, 100000}) {
    const std::string name(length, 'n');
    roam::spawn(roam::SpawnOptions{.name = name, .rank = stranger()}, [length] {
      expect(roam::this_thread::name() == std::string(length, 'n'), "name where it started");
      for (int i = 0; i < 3; ++i) {
        roam::this_thread::migrate(next_rank());
        expect(roam::this_thread::name() == std::string(length, 'n'), "name after a move");
      }
    }).join();
  }
  expect_eq(roam::this_thread::name(), "root", "name of the root thread");
}

struct ThrowsWhenCopied {
  std::vector<std::string> data{100, std::string(100, 'd')};
  ThrowsWhenCopied() = default;
  ThrowsWhenCopied(const ThrowsWhenCopied& other) : data(other.data) {
    throw std::runtime_error("copied");
  }
  void operator()() const {}
};

SCENARIO(Spawn, LeavesNothingBehindWhenAnArgumentThrows) {
  const ThrowsWhenCopied callable;
  for (int i = 0; i < 5000; ++i) {
    const auto error = expect_throws<std::runtime_error>([&] { roam::spawn(callable); },
                                                         "spawn of what cannot be copied");
    expect_eq(std::string(error.what()), "copied", "what()");
  }
  on_rank(next_rank(), [] {});
}

// Each has its own static, made where it is first copied for the thread: the process's, as ever.
template <int n>
struct MakesAStaticWhenCopied {
  MakesAStaticWhenCopied() = default;
  MakesAStaticWhenCopied(const MakesAStaticWhenCopied& other) : copies(other.copies + 1) {
    if (copies > 1) ++made()[0];  // the first is that of the spawner's lambda
  }
  static std::vector<int>& made() {
    static std::vector<int> numbers(1000, n);
    return numbers;
  }
  int copies = 0;
};

template <int n>
void spawn_with_static() {
  using Maker = MakesAStaticWhenCopied<n>;
  const Maker maker;
  const std::string before(1000, 'b'), after(1000, 'a');
  roam::spawn([before, maker, after] {
    expect(roam::in_thread_heap(before.data()), "what was copied first is in the thread's heap");
    expect(roam::in_thread_heap(after.data()), "and what was copied after the static was made");
    expect(!roam::in_thread_heap(Maker::made().data()), "the static's memory is the process's");
    roam::this_thread::migrate(next_rank());
    expect_eq(after, std::string(1000, 'a'), "text");
  }).join();
  expect(!roam::in_thread_heap(Maker::made().data()), "nor is it in the spawner's heap");
}

SCENARIO(Spawn, AStaticThatACopyMakesLeavesTheCopiesWhereTheyBelong) {
  spawn_with_static<1>();
  roam::this_thread::migrate(next_rank());
  spawn_with_static<2>();
}

SCENARIO(Spawn, GivesStacksOfManySizes) {
  for (std::size_t kib : {16, 20, 64, 256, 1000, 4096, 65536, 1 << 20}) {
    const std::size_t bytes = kib * 1024;
    roam::spawn(roam::SpawnOptions{.stack_bytes = bytes, .rank = next_rank()}, [bytes] {
      // All but what the first frames and the call itself take, in reach but mostly not touched.
      const std::size_t use = bytes - 10 * 1024;
      volatile char* deep = static_cast<char*>(alloca(use));
      for (std::size_t at = 0; at < use; at += std::max<std::size_t>(use / 16, 4096))
        deep[at] = 'd';
      roam::this_thread::migrate(next_rank());
      for (std::size_t at = 0; at < use; at += std::max<std::size_t>(use / 16, 4096)) {
        expect_eq(char{deep[at]}, 'd', "byte deep in the stack");
      }
    }).join();
  }
  expect_error(roam::Errc::bad_option, {},
               [] { roam::spawn(roam::SpawnOptions{.stack_bytes = SIZE_MAX / 2}, [] {}); });
}

// One on each rank; used only by threads that are on that rank.
std::vector<std::uint64_t>& collected() {
  static std::vector<std::uint64_t> ids;
  return ids;
}

SCENARIO(Handles, AreUniqueOverTheJob) {
  const int home = roam::rank();
  std::vector<roam::Thread> spawners;
  for (int r = 0; r < roam::ranks(); ++r) {
    spawners.push_back(roam::spawn(roam::SpawnOptions{.rank = r}, [home] {
      std::vector<std::uint64_t> ids{roam::this_thread::self().id()};
      for (int i = 0; i < 500; ++i) {
        const roam::Thread child = roam::spawn([] {});
        ids.push_back(child.id());
        if (i % 3 == 0) child.join();  // so that slots are used again
      }
      roam::this_thread::migrate(home);
      roam::SystemHeap system;
      collected().insert(collected().end(), ids.begin(), ids.end());
    }));
  }
  for (roam::Thread spawner : spawners) spawner.join();
  const std::unordered_set<std::uint64_t> distinct(collected().begin(), collected().end());
  expect_eq(collected().size(), std::size_t(501) * roam::ranks(), "ids");
  expect_eq(distinct.size(), collected().size(), "distinct ids");
  expect(!distinct.contains(0), "no thread's id is 0");
}

SCENARIO(Handles, StayValidInMovedMemoryAndAfterTheThreadHasEnded) {
  std::vector<roam::Thread> handles;
  for (int i = 0; i < 20; ++i) {
    handles.push_back(roam::spawn(roam::SpawnOptions{.rank = i % roam::ranks()}, [] {
      for (int k = 0; k < 4; ++k) roam::this_thread::migrate(next_rank());
    }));
  }
  const std::unordered_set<roam::Thread> set(handles.begin(), handles.end());
  const std::vector<roam::Thread> copies = handles;
  for (int k = 0; k < 5; ++k) roam::this_thread::migrate(next_rank());
  for (std::size_t i = 0; i < handles.size(); ++i) {
    expect(handles[i] == copies[i] && set.contains(handles[i]), "handles compare as before");
    handles[i].join();
    copies[i].join();  // ended: returns at once
    expect_eq(handles[i].id(), copies[i].id(), "id of an ended thread's handle");
  }
  expect(!roam::Thread() && roam::Thread().id() == 0, "a default handle is empty");
  expect(roam::this_thread::self() != handles[0], "handles of two threads differ");
}

struct Counter {
  int value = 0;
} ended_here;  // one on each rank

void grow(int depth, int home) {
  for (int i = 0; depth > 0 && i < 2; ++i) {
    roam::spawn(roam::SpawnOptions{.rank = (roam::rank() + i + depth) % roam::ranks()}, grow,
                depth - 1, home);
  }
  if (depth == 0) {
    roam::this_thread::migrate(home);
    ++ended_here.value;
  }
}

SCENARIO(Spawn, DescendantsOutliveTheirParents) {
  ended_here.value = 0;
  roam::spawn(grow, 8, roam::rank()).join();
  yield_until([] { return ended_here.value == 256; });
}

// MPI, which needs some 20 KiB of stack, is never called on a thread's.
SCENARIO(Spawn, ThreadsWithSmallStacksCallOtherRanks) {
  const roam::SpawnOptions small{.stack_bytes = 8 << 10};
  for (int round = 0; round < 20; ++round) {
    std::vector<roam::Thread> callers;
    for (int r = 0; r < roam::ranks(); ++r) {
      roam::SpawnOptions options = small;
      options.rank = r;
      callers.push_back(roam::spawn(options, [small] {
        for (int i = 0; i < 10; ++i) {
          roam::SpawnOptions there = small;
          there.rank = (roam::rank() + 1) % roam::ranks();
          const roam::Thread other = roam::spawn(there, [] { roam::this_thread::yield(); });
          other.join();
        }
      }));
    }
    for (const roam::Thread caller : callers) caller.join();
  }
}

}  // namespace
}  // namespace roam_test
