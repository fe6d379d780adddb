// What no program sees but by how long something takes: how many messages ranks send, and what is
// left of a team.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "isomalloc/helper_threads.h"
#include "isomalloc/in_process.h"
#include "roam/roam.h"
#include "runtime/job/job.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

using std::chrono::milliseconds;

// Rank 2 looks at no message for half a second, in which a thread is on its way there from rank 1.
// Rank 0, its home, asks where it was last.
SCENARIO(Inside, WhatIsAboutAThreadOnItsWayIsNotSentToAndFro, .ranks_needed = 3) {
  roam::spawn(roam::SpawnOptions{.rank = 2}, [] {
    roam::this_thread::sleep_for(milliseconds(100));
    const auto begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begin < milliseconds(500)) {
    }
  });
  const roam::Thread traveller = roam::spawn(roam::SpawnOptions{.rank = 1}, [] {
    roam::this_thread::sleep_for(milliseconds(200));
    roam::this_thread::migrate(2);
  });
  roam::this_thread::sleep_for(milliseconds(300));
  const std::uint64_t before = roam::runtime::the_job().net().mpi().sent();
  traveller.join();
  const std::uint64_t sent = roam::runtime::the_job().net().mpi().sent() - before;
  // To there, and to where it has gone; a few more while news are on their way.
  expect(sent < 8, "messages that this rank sent: " + std::to_string(sent));
}

// Member 0 goes to and fro, and stays nowhere for longer than it asks once: what is sent to it
// comes to a rank at times when it is not there.
SCENARIO(Inside, WhoIsNeverThereForLongGetsItsMessages, .ranks_needed = 2) {
  roam::spawn_team(2, [] {
    const roam::Team team = roam::Team::current();
    roam::this_thread::migrate(1);
    for (int i = 0; i < 20; ++i) {
      if (team.index() != 0) {
        roam::this_thread::sleep_for(milliseconds(5));
        team.send(0, 0, i);
        team.recv<int>(0, 1);
        continue;
      }
      std::vector<int> got{-1};
      roam::Request asked = team.irecv(1, 0, got);
      while (!asked.test()) roam::this_thread::migrate(1 - roam::rank());
      expect_eq(got[0], i, "what was sent");
      team.send(1, 1, i);
    }
  }).join();
}

// As of a checkpoint that is given up while bytes come into messages that nobody has received.
SCENARIO(Inside, WhatIsReceivedWhileItsBytesAreBroughtIsWhole, .ranks_needed = 2) {
  roam::spawn_team(2, [] {
    const roam::Team team = roam::Team::current();
    roam::this_thread::migrate(team.index());
    std::vector<int> data(1'000'000);
    if (team.index() == 1) {
      std::iota(data.begin(), data.end(), 1);
      roam::Request sent = team.isend(0, 7, data);
      team.send(0, 8, 0);
      return (void)sent.wait();
    }
    team.recv<int>(1, 8);
    roam::iso::in_process([] { roam::runtime::the_job().members().settle(); });
    team.recv(1, 7, data);
    int wrong = 0;
    for (std::size_t i = 0; i < data.size(); ++i) wrong += data[i] != static_cast<int>(i) + 1;
    expect_eq(wrong, 0, "what is not as it was sent");
  }).join();
}

// The part of member 1 waits for that of member 0, which ends without.
SCENARIO(Inside, PartsOfATeamThatHasEndedAreNotLookedAt, .ranks_needed = 2) {
  roam::spawn_team(2, [] {
    const roam::Team team = roam::Team::current();
    if (team.index() == 0) {
      team.recv<int>(1, 0);
      expect(roam::runtime::the_job().gatherings().due(), "a part is there");
    } else {
      (void)team.reduce(0, 1);
      team.send(0, 0, 1);
    }
  }).join();
  yield_until([] { return !roam::runtime::the_job().gatherings().due(); });
}

// Pauses between two questions whether it has ended grow to a millisecond, however often it is
// asked.
SCENARIO(Inside, WhoWaitsLongForTheEndOfAKernelThreadDoesNotAskWithoutPause) {
  for (const int round : {1'000, 120'000, 2'000'000'000}) {
    const auto begin = std::chrono::steady_clock::now();
    expect(roam::iso::between_joins(round), "a thread lets others run");
    expect(std::chrono::steady_clock::now() - begin >= std::chrono::microseconds(900),
           "the pause of round " + std::to_string(round) + " is a millisecond");
  }
}

}  // namespace
}  // namespace roam_test
