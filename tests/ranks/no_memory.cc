// A node that has all that ROAM_MEMORY allows: whoever asks for more gets an error that names it,
// what was under way stays right, and all goes on once there is memory. Run with ROAM_MEMORY=64M.
#include <fcntl.h>
#include <sys/select.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "isomalloc/arena.h"
#include "roam/roam.h"
#include "tests/ranks/hoard.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/hidden.h"
#include "tests/support/pattern.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

using std::chrono::milliseconds;
constexpr std::size_t kMiB = 1 << 20;
constexpr std::size_t kLimit = 64 * kMiB;
// What is left free where small things have to get through, and large ones not.
constexpr std::size_t kMargin = 4 * kMiB, kTooMuch = 9 * kMiB, kJustTooMuch = 5 * kMiB;

// One on each rank.
std::atomic<bool> hoarding, enough, ran;

bool one_node() { return roam::node_of(roam::rank()) == roam::node_of(stranger()); }

// What fails there, fails by an Error or, where there is no memory for its text either, bad_alloc.
template <class Body>
bool fails(Body body) {
  try {
    body();
  } catch (const roam::Error& error) {
    expect_eq(roam::to_string(error.code()), std::string("out_of_memory"), error.what());
    return true;
  } catch (const std::bad_alloc&) {
    return true;
  }
  return false;
}

// While it lives, the node of `rank` has little memory left.
class FullRank {
 public:
  explicit FullRank(int rank) : rank_(rank) {
    hoarder_ = roam::spawn(roam::SpawnOptions{.name = "hoarder", .rank = rank}, [] {
      enough = false;
      // What has just left still counts here until its arrival is known.
      for (int i = 0; i < 1000 && roam::iso::arena().limit().charged() >= kTooMuch; ++i)
        roam::this_thread::sleep_for(milliseconds(5));
      {
        const Hoard hoard(kMargin);
        hoarding = true;
        yield_until([] { return enough.load(); });
      }
      hoarding = false;
    });
    on_rank(rank, [] { yield_until([] { return hoarding.load(); }); });
  }
  void end() {
    if (!hoarder_) return;
    on_rank(rank_, [] { enough = true; });
    hoarder_.join();
    hoarder_ = {};
  }
  ~FullRank() { end(); }

 private:
  int rank_;
  roam::Thread hoarder_;
};

SCENARIO(Heaps, GetNoMoreThanIsAllowedWhetherItIsUsedOrNot) {
  const std::size_t before = roam::iso::arena().limit().charged();
  for (int round = 0; round < 3; ++round) {
    const std::size_t had = Hoard().bytes();
    expect(had > kLimit / 2 && had <= kLimit,
           "a thread has " + std::to_string(had) + " bytes of 64 MiB");
    {
      std::vector<void*> blocks;
      blocks.reserve(1000);
      errno = 0;
      while (void* block = std::malloc(3 * kMiB)) {
        blocks.push_back(block);
        expect(blocks.size() < 30, "malloc stops giving memory that is not used either");
      }
      expect_eq(errno, ENOMEM, "errno");
      Pattern(1).fill(blocks[0], 3 * kMiB);
      expect(hidden(std::calloc(3, kMiB)) == nullptr, "calloc gives NULL too");
      expect(std::realloc(blocks[0], 10 * kMiB) == nullptr, "and realloc");
      Pattern(1).verify(blocks[0], 3 * kMiB, "the block that did not grow");
      expect(iso_malloc(3 * kMiB) == nullptr && errno == ENOMEM, "and iso_malloc");
      expect_throws<std::bad_alloc>([] { hidden(std::vector<char>(3 * kMiB).data()); }, "new");
      roam::spawn([] {}).join();  // a small one has room
      for (void* block : blocks) std::free(block);
    }
    std::vector<void*> blocks;
    while (void* block = iso_malloc(3 * kMiB)) {
      blocks.push_back(block);
      expect(blocks.size() < 30, "iso_malloc stops giving memory");
    }
    for (void* block : blocks) iso_free(block);
    roam::this_thread::migrate(next_rank());
  }
  while (roam::rank() != 0) roam::this_thread::migrate(0);
  expect(roam::iso::arena().limit().charged() <= before + kMiB, "what was freed counts no longer");
}

// libc's frames are no place for an exception, and C's are none either.
SCENARIO(CallsOfC, ThrowNothingWhereTheirThreadHasNoMemory) {
  int ends[2];
  expect(pipe(ends) == 0, "a pipe");
  fd_set in, out, other;
  for (fd_set* set : {&in, &out, &other}) {
    FD_ZERO(set);
    FD_SET(ends[0], set);
  }
  // Beyond libc's sets, where the kernel has room for such a descriptor.
  constexpr int kHigh = 2000;
  static long many[64];
  const int high = fcntl(ends[0], F_DUPFD_CLOEXEC, kHigh);
  int selected = -2, with_mask = -2, beyond = -2, error = 0;
  {
    const Hoard hoard;
    timeval soon{0, 1000};
    selected = select(ends[0] + 1, &in, &out, &other, &soon);
    const timespec soon_ns{0, 1'000'000};
    FD_SET(ends[0], &in);
    with_mask = pselect(ends[0] + 1, &in, nullptr, nullptr, &soon_ns, nullptr);
    errno = 0;
    soon = {0, 1000};
    beyond = select(kHigh + 1, reinterpret_cast<fd_set*>(many), nullptr, nullptr, &soon);
    error = errno;
  }
  expect_eq(selected, 0, "nothing to read");
  expect_eq(with_mask, 0, "nothing to read, with a mask");
  if (high >= 0) expect(beyond == -1 && error == ENOMEM, "ENOMEM for sets that find no memory");
  for (const int descriptor : {ends[0], ends[1], high}) {
    if (descriptor >= 0) close(descriptor);
  }
}

// Each takes its heap along, and the node that it leaves has as much more.
SCENARIO(Heaps, CountWhereTheirThreadIs) {
  const std::size_t before = roam::iso::arena().limit().charged();
  std::vector<unsigned char> mine(20 * kMiB);
  Pattern(3).fill(mine.data(), mine.size());
  for (int i = 0; i < 20; ++i) {
    roam::this_thread::migrate(next_rank());
    Pattern(3).verify(mine.data(), mine.size(), "memory after a move");
  }
  roam::this_thread::migrate(0);
  std::vector<unsigned char>().swap(mine);
  std::size_t now = SIZE_MAX;
  for (int i = 0; i < 4'000 && now > before + kMiB; ++i) {
    roam::this_thread::sleep_for(milliseconds(5));  // until others know that it has left
    now = roam::iso::arena().limit().charged();
  }
  expect(now <= before + kMiB, "what has left, or was freed, counts no longer: " +
                                   std::to_string(now) + " bytes after " + std::to_string(before));
}

SCENARIO(Departures, ThatTheTargetHasNoMemoryForAreRefusedAndTheThreadGoesOn) {
  if (one_node()) return;
  const int here = roam::rank(), to = stranger();
  std::vector<unsigned char> mine(kTooMuch);
  Pattern(2).fill(mine.data(), mine.size());
  FullRank full(to);
  for (int i = 0; i < 3; ++i) {
    expect_error(roam::Errc::out_of_memory,
                 {"rank " + std::to_string(to), "ROAM_MEMORY", "64", "MiB"},
                 [to] { roam::this_thread::migrate(to); });
    expect_eq(roam::rank(), here, "rank after the refusal");
    Pattern(2).verify(mine.data(), mine.size(), "memory after the refusal");
  }
  full.end();
  roam::this_thread::migrate(to);
  Pattern(2).verify(mine.data(), mine.size(), "memory after the move");
  roam::this_thread::migrate(here);
}

SCENARIO(Spawn, AThreadThatCannotStartWhereItShallDoesNotRunElsewhere) {
  if (one_node()) return;
  const std::vector<unsigned char> given(kTooMuch);
  const int to = stranger();
  FullRank full(to);
  for (int i = 0; i < 5; ++i) {
    ran = false;
    const roam::Thread thread = roam::spawn(roam::SpawnOptions{.name = "large", .rank = to},
                                            [given] { ran = !given.empty(); });
    expect_error(roam::Errc::out_of_memory,
                 {"spawn", "'large' cannot start", "rank " + std::to_string(to), "ROAM_MEMORY"},
                 [thread] { thread.join(); });
    expect(!ran, "it did not run");
  }
  full.end();
  roam::spawn(roam::SpawnOptions{.rank = to}, [given, to] {
    expect_eq(roam::rank(), to, "where it runs");
  }).join();
}

struct Large : std::runtime_error {
  using std::runtime_error::runtime_error;
  std::vector<char> rest = std::vector<char>(kTooMuch);
};

SCENARIO(Join, AnExceptionThatFindsNoMemoryIsToldByItsText) {
  if (one_node()) return;
  const roam::Thread thrower =
      roam::spawn(roam::SpawnOptions{.rank = stranger()}, [] { throw Large("the very cause"); });
  roam::this_thread::sleep_for(milliseconds(20));
  {
    const Hoard hoard(kMargin);
    expect_error(roam::Errc::out_of_memory, {"the very cause", "ROAM_MEMORY"},
                 [thrower] { thrower.join(); });
  }
}

SCENARIO(Messages, ThatFindNoMemoryWaitForIt) {
  constexpr int kMessages = 200;
  const auto bytes_of = [](int i) { return static_cast<std::size_t>(10 + i * 7919 % 30'000); };
  roam::spawn_team(2 * roam::ranks(), [bytes_of] {
    const roam::Team team = roam::Team::current();
    const int last = team.size() - 1;
    std::vector<unsigned char> data(40'000);
    if (team.index() == 0) {
      team.recv<int>(last, 1);
      roam::this_thread::sleep_for(milliseconds(100));
      for (int i = 0; i < kMessages; ++i) {
        Pattern(static_cast<std::size_t>(i)).fill(data.data(), bytes_of(i));
        while (fails([&] { team.send(last, 2, std::span(data.data(), bytes_of(i))); }))
          roam::this_thread::sleep_for(milliseconds(5));
      }
    } else if (team.index() == last) {
      team.send(0, 1, 1);
      {
        const Hoard hoard;
        roam::this_thread::sleep_for(milliseconds(400));
      }
      for (int i = 0; i < kMessages; ++i) {
        team.recv(0, 2, std::span(data.data(), bytes_of(i)));
        Pattern(static_cast<std::size_t>(i)).verify(data.data(), bytes_of(i), "a message");
      }
    }
  }).join();
}

SCENARIO(Messages, ThatLieInTheSendersMemoryKeepItHereIfNoCopyCanBeMade) {
  if (one_node()) return;
  roam::spawn_team(roam::ranks(), [] {
    const roam::Team team = roam::Team::current();
    const int last = team.size() - 1;
    std::vector<unsigned char> data(6 * kMiB);
    if (team.index() == 0) {
      Pattern(5).fill(data.data(), data.size());
      roam::Request sent = team.isend(last, 1, data);
      {
        const Hoard hoard(kMargin);
        expect_error(roam::Errc::out_of_memory, {"copies", "ROAM_MEMORY"},
                     [] { roam::this_thread::migrate(stranger()); });
        expect_eq(roam::rank(), 0, "where it is then");
      }
      roam::this_thread::migrate(stranger());
      team.send(last, 2, 1);
      sent.wait();
    } else if (team.index() == last) {
      team.recv<int>(0, 2);
      team.recv(0, 1, data);
      Pattern(5).verify(data.data(), data.size(), "the long message");
    }
  }).join();
}

// The receives that it had posted do not take what comes later.
SCENARIO(Messages, OfAnAlltoallThatFindNoMemoryAreAnError) {
  roam::spawn_team(1, [] {
    const roam::Team team = roam::Team::current();
    std::vector<unsigned char> in(8000), out(8000), later(8000);
    Pattern(1).fill(in.data(), in.size());
    bool failed = false;
    {
      const Hoard hoard;
      failed = fails([&] { team.alltoall(in, out); });
    }
    expect(failed, "it fails");
    team.alltoall(in, later);
    Pattern(1).verify(later.data(), later.size(), "the part of a later one");
    verify_zero(out.data(), out.size(), "where the part of the first would have gone");
  }).join();
}

SCENARIO(Teams, ThatFindNoMemoryAreAnError) {
  {
    const std::vector<unsigned char> given(12 * kMiB);
    expect(
        fails([&given] { roam::spawn_team(4 * roam::ranks(), [given] {}).join(); }) || !one_node(),
        "17 copies of 12 MiB do not fit");
  }
  if (!one_node()) {
    const std::vector<unsigned char> given(kJustTooMuch);
    const FullRank full(stranger());
    expect_error(roam::Errc::out_of_memory, {"spawn_team", "ROAM_MEMORY"},
                 [&given] { roam::spawn_team(roam::ranks(), [given] {}).join(); });
  }
  roam::spawn_team(2 * roam::ranks(), [] { roam::Team::current().barrier(); }).join();
}

}  // namespace
}  // namespace roam_test

int main(int argc, char** argv) { return roam_test::run_scenarios(argc, argv); }
