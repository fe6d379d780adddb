// Runs for some seconds, so that ROAM_PROGRESS has something to say.
//
// usage: long_run quiet: threads sleep;  long_run deaf: the last rank's thread lets nothing else
// run;  long_run chatty: members of a team send messages, and stay
#include <chrono>
#include <string>
#include <vector>

#include "roam/roam.h"

int main(int argc, char** argv) {
  using namespace std::chrono_literals;
  return roam::run(argc, argv, [&] {
    if (argc > 1 && std::string(argv[1]) == "chatty") {
      roam::spawn_team(2 * roam::ranks(), [] {
        const roam::Team team = roam::Team::current();
        const int n = team.size();
        const auto end = std::chrono::steady_clock::now() + 4s;
        for (bool on = true; on; on = team.allreduce(on ? 1 : 0) == n) {
          team.send((team.index() + 1) % n, 0, team.index());
          int got = 0;
          team.recv((team.index() + n - 1) % n, 0, got);
          roam::this_thread::sleep_for(10ms);
          on = std::chrono::steady_clock::now() < end;
        }
      }).join();
      return;
    }
    const bool deaf = argc > 1 && std::string(argv[1]) == "deaf";
    std::vector<roam::Thread> sleepers;
    for (int i = 0; i < 3 * roam::ranks(); ++i) {
      sleepers.push_back(
          roam::spawn({.rank = i % roam::ranks()}, [] { roam::this_thread::sleep_for(4s); }));
    }
    if (deaf) {
      roam::spawn({.rank = roam::ranks() - 1}, [] {
        const auto end = std::chrono::steady_clock::now() + 5s;
        while (std::chrono::steady_clock::now() < end) {
        }
      }).join();
    }
    for (roam::Thread sleeper : sleepers) sleeper.join();
  });
}
