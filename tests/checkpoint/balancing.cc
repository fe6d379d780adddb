// A checkpoint that is made while a team balances: some members wait in balance() already, from
// ranks that a restart may not have.
//
//   balancing FOLDER
#include <chrono>
#include <cstdio>
#include <string>

#include "roam/roam.h"

namespace {

constexpr int kMembers = 12, kRounds = 4;

void member(const std::string& folder) {
  const roam::Team team = roam::Team::current();
  long sum = 0;
  bool resumed = false;
  for (int round = 0; round < kRounds; ++round) {
    // Loads that differ, so that members move.
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::microseconds(500 * (1 + team.index() % 3));
    while (std::chrono::steady_clock::now() < end) {
    }
    if (team.index() == 5 && round == 1) {
      roam::this_thread::sleep_for(std::chrono::milliseconds(300));  // all others wait by then
      resumed = roam::checkpoint(folder) == roam::Resumed::yes;
    }
    team.balance();
    sum += team.allreduce(long{team.index()} + round);
  }
  if (team.index() == 5) std::printf("sum %ld%s\n", sum, resumed ? ", restarted" : "");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "checkpoints";
  return roam::run(argc, argv, [&folder] {
    roam::spawn_team({.name = "balanced"}, kMembers, [folder] { member(folder); }).join();
  });
}
