// Runs for some seconds, so that ROAM_PROGRESS has something to say.
//
// usage: long_run quiet: threads sleep;  long_run deaf: the last rank's thread lets nothing else
// run
#include <chrono>
#include <string>
#include <vector>

#include "roam/roam.h"

int main(int argc, char** argv) {
  using namespace std::chrono_literals;
  return roam::run(argc, argv, [&] {
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
