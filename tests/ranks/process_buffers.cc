// Messages and collectives whose bytes lie in memory of the process: statics, and what was
// allocated outside the threads' heaps. The same address of another rank holds something else, so
// nothing may be looked for there, whoever moves meanwhile.
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

constexpr std::size_t kCount = 1 << 16;  // 512 KiB: long on every path
double field[kCount];
double room[kCount];

double value(std::size_t i, int salt) { return static_cast<double>(i) + 0.25 * salt; }
void fill(double* at, int salt) {
  for (std::size_t i = 0; i < kCount; ++i) at[i] = value(i, salt);
}
void check(const double* at, int salt, const char* what) {
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < kCount; ++i) wrong += at[i] != value(i, salt) ? 1 : 0;
  expect_eq(wrong, std::size_t{0}, what);
}

// Memory that glibc has, in a thread too.
struct Free {
  void operator()(double* block) const { std::free(block); }
};
std::unique_ptr<double[], Free> of_the_process() {
  roam::SystemHeap system;
  return std::unique_ptr<double[], Free>(
      static_cast<double*>(std::malloc(kCount * sizeof(double))));
}

// Member 0 sends from `data`; member 1 receives, after both have gone where they are told to.
void send_and_move(const roam::Team& team, double* data, int salt, int sender_to, int receiver_to) {
  if (team.index() == 0) {
    fill(data, salt);
    roam::Request sent = team.isend(1, salt, std::span<const double>(data, kCount));
    if (sender_to >= 0) roam::this_thread::migrate(sender_to);
    sent.wait();
  } else if (team.index() == 1) {
    roam::this_thread::yield();
    if (receiver_to >= 0) roam::this_thread::migrate(receiver_to);
    std::vector<double> got(kCount);
    team.recv(0, salt, got);
    check(got.data(), salt, "what came");
  }
  team.barrier();
}

SCENARIO(ProcessBuffers, AreSentWhoeverMovesMeanwhile) {
  roam::spawn_team(4, [] {
    const roam::Team team = roam::Team::current();
    int salt = 0;
    for (int home = 0; home < roam::ranks(); ++home) {
      for (int to = -1; to < roam::ranks(); ++to) {
        if (team.index() < 2) roam::this_thread::migrate(home);
        send_and_move(team, field, ++salt, -1, to);
        if (team.index() < 2) roam::this_thread::migrate(home);
        send_and_move(team, field, ++salt, to, -1);
        if (team.index() < 2) roam::this_thread::migrate(team.index() == 0 ? home : 0);
        send_and_move(team, field, ++salt, to, roam::ranks() - 1);
      }
    }
  }).join();
}

SCENARIO(ProcessBuffers, OfGlibcAreSentWhoeverMovesMeanwhile) {
  roam::spawn_team(2, [] {
    const roam::Team team = roam::Team::current();
    for (int to = 0; to < roam::ranks(); ++to) {
      roam::this_thread::migrate(0);
      // The sender stays, since it frees the block.
      const auto block = team.index() == 0 ? of_the_process() : nullptr;
      send_and_move(team, block.get(), to + 1, -1, to);
    }
  }).join();
}

// What an ended thread leaves goes with whoever joined it, here the root, and not with the sender.
SCENARIO(ProcessBuffers, OfAnEndedThreadAreSentThoughItsHeirLeaves) {
  static double* left;
  static bool sent, gone, received;
  left = nullptr;
  sent = gone = received = false;
  const int home = roam::rank();
  roam::Thread ended = roam::spawn([] {
    auto data = std::make_unique<double[]>(kCount);
    fill(data.get(), 5);
    left = data.release();
  });
  while (left == nullptr) roam::this_thread::yield();
  roam::Team team = roam::spawn_team(2, [home] {
    const roam::Team team = roam::Team::current();
    roam::this_thread::migrate(home);
    team.barrier();
    if (team.index() == 0) {
      roam::Request out = team.isend(1, 1, std::span<const double>(left, kCount));
      sent = true;
      out.wait();
    } else {
      while (!gone) roam::this_thread::yield();  // so the rank is not idle, and copies nothing
      std::vector<double> got(kCount);
      team.recv(0, 1, got);
      received = true;
      check(got.data(), 5, "what came");
    }
  });
  while (!sent) roam::this_thread::yield();
  ended.join();  // only now: whose the bytes will be was not known when they were sent
  roam::this_thread::migrate((home + 1) % roam::ranks());
  // What has left a node is kept there for a while: long enough that looking for it there shows.
  roam::this_thread::sleep_for(std::chrono::milliseconds(400));
  // Tells the receiver that the root has gone, and keeps it away until the message is there.
  roam::Thread herald = roam::spawn([home] {
    roam::this_thread::migrate(home);
    gone = true;
    while (!received) roam::this_thread::yield();
  });
  herald.join();
  team.join();
}

SCENARIO(ProcessBuffers, KeepTheirReceiverUntilTheMessageIsThere) {
  roam::spawn_team(2, [] {
    const roam::Team team = roam::Team::current();
    const int elsewhere = (roam::rank() + 1) % roam::ranks();
    if (team.index() == 1) {
      roam::Request coming = team.irecv(0, 7, room);
      if (elsewhere != roam::rank()) {
        expect_error(roam::Errc::pinned, {"memory of the process"},
                     [&] { roam::this_thread::migrate(elsewhere); });
      }
      team.send(0, 8, 1);
      coming.wait();
      check(room, 7, "what came into the process's memory");
      roam::Request never = team.irecv(0, 9, room);
    } else {
      team.recv<int>(1, 8);
      std::vector<double> mine(kCount);
      fill(mine.data(), 7);
      team.send(1, 7, mine);
    }
    roam::this_thread::migrate(elsewhere);  // nothing holds them any more
    expect_eq(roam::rank(), elsewhere, "rank");
  }).join();
}

SCENARIO(ProcessBuffers, KeepTheMemberUntilItsCollectiveIsDone) {
  roam::spawn_team(2, [] {
    const roam::Team team = roam::Team::current();
    const int elsewhere = (roam::rank() + 1) % roam::ranks();
    static double sums[2];
    if (team.index() == 1) {
      sums[0] = sums[1] = 1.5;
      roam::Request sum = team.iallreduce(sums);
      if (elsewhere != roam::rank()) {
        expect_error(roam::Errc::pinned, {"memory of the process"},
                     [&] { roam::this_thread::migrate(elsewhere); });
      }
      team.send(0, 8, 1);
      sum.wait();
      expect_eq(sums[1], 4.0, "the sum");
    } else {
      team.recv<int>(1, 8);
      std::vector<double> mine = {2.5, 2.5};
      team.iallreduce(mine).wait();
    }
    roam::this_thread::migrate(elsewhere);
  }).join();
}

SCENARIO(ProcessBuffers, DoNotHoldUpWhoAsksInALoop) {
  roam::spawn_team(2 * roam::ranks(), [] {
    const roam::Team team = roam::Team::current();
    if (team.index() == 0) {
      while (!team.iprobe(team.size() - 1, 1)) {
      }
      expect_eq(team.recv<int>(team.size() - 1, 1), 17, "the message");
    } else if (team.index() == team.size() - 1) {
      roam::this_thread::sleep_for(std::chrono::milliseconds(20));
      team.send(0, 1, 17);
    }
  }).join();
}

}  // namespace
}  // namespace roam_test
