// A thread whose pages go ahead of it when a checkpoint is made: alone in its process, as pages are
// watched for checkpoints afterwards.
#include <sys/uio.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "roam/roam.h"
#include "tests/ranks/changing_load.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

using namespace std::chrono_literals;

// Who waits for something goes then, whatever it waits for. That it has come is seen from the other
// rank: its stack is readable there.
SCENARIO(LiveCheckpoint, WhoWaitsGoesAfterACheckpointAllTheSame, .ranks_needed = 2) {
  std::string folder =
      std::string(std::getenv("TEST_TMPDIR") != nullptr ? std::getenv("TEST_TMPDIR") : "/tmp") +
      "/live-XXXXXX";
  expect(mkdtemp(folder.data()) != nullptr, "a folder");
  roam::spawn_team(2, [folder] {
    constexpr std::uint64_t kThere = 0x1234567890abcdef;
    const roam::Team team = roam::Team::current();
    if (team.index() == 0) {
      roam::this_thread::migrate(0);
      Load load(29);
      load.add(6000);
      volatile std::uint64_t mark = kThere;
      team.send(1, 0, reinterpret_cast<std::uint64_t>(&mark));
      roam::migrate(roam::this_thread::self(), 1, roam::Live{});
      expect_eq(team.recv<int>(1, 1), 1, "whether it was seen on rank 1");
      expect_eq(roam::rank(), 1, "where it has been asked to be");
      load.verify();
      return;
    }
    roam::this_thread::migrate(1);
    const std::uint64_t at = team.recv<std::uint64_t>(0, 0);
    roam::this_thread::sleep_for(1ms);
    expect(roam::checkpoint(folder) == roam::Resumed::no, "it goes on");
    const auto came = [at] {
      std::uint64_t value = 0;
      const iovec there{reinterpret_cast<void*>(at), sizeof value}, here{&value, sizeof value};
      return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == sizeof value && value == kThere;
    };
    bool seen = came();
    for (int i = 0; i < 5000 && !seen; ++i) {
      roam::this_thread::sleep_for(1ms);
      seen = came();
    }
    team.send(0, 1, seen ? 1 : 0);
  }).join();
}

}  // namespace
}  // namespace roam_test
