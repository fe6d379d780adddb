// Ranks that are never idle, and send something to another node in each of their turns, until there
// is a checkpoint, for which their pieces go to the keeper of the other node too.
//
//   busy FOLDER SECONDS
// Ends with 1 if there is none after so many seconds.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "roam/roam.h"

namespace {

using Clock = std::chrono::steady_clock;

// Members 0 and 1 are on rank 0, 2 and 3 on rank 1. 0 sends to 3, and 2 to 1.
void talk(const std::string& manifest, int seconds) {
  const roam::Team team = roam::Team::current();
  const int me = team.index();
  if (me % 2 == 1) {
    while (team.recv<bool>(3 - me, 0)) {
    }
    return;
  }
  const std::vector<char> memory(32 << 20, 1);  // many parts of a piece
  const Clock::time_point end = Clock::now() + std::chrono::seconds(seconds);
  bool made = false;
  for (int turn = 1; !made && Clock::now() < end; ++turn) {
    if (turn % 100 == 0) made = access(manifest.c_str(), F_OK) == 0;
    team.send(3 - me, 0, true);
    // So long that the rank looks around after it.
    const Clock::time_point turn_end = Clock::now() + std::chrono::microseconds(200);
    while (Clock::now() < turn_end) {
    }
    roam::this_thread::yield();
  }
  team.send(3 - me, 0, false);
  if (!made) throw roam::Error(roam::Errc::checkpoint_failed, "there is no checkpoint");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string manifest = std::string(argv[1]) + "/000001/manifest";
  const int seconds = std::atoi(argv[2]);
  return roam::run(argc, argv, [manifest, seconds] {
    roam::spawn_team(4, [manifest, seconds] { talk(manifest, seconds); }).join();
  });
}
