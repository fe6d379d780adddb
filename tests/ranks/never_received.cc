// Everybody waits because nobody receives: the job ends and says so. never_received HOW RANKS.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "roam/roam.h"

namespace {

unsigned char of_the_process[100'000];  // its address is other memory elsewhere: copied at once

void flood(const std::string& how, const roam::Team& team, int to) {
  std::vector<unsigned char> data(how == "long" ? 100'000 : 1000);
  for (int i = 0; i < 20'000; ++i) {
    if (how == "process") {
      team.send(to, 1, of_the_process);
    } else if (how == "started") {
      team.isend(to, 1, data).wait();
    } else {
      team.send(to, 1, data);
    }
  }
}

}  // namespace

// Run with ROAM_UNRECEIVED=1M.
int main(int argc, char** argv) {
  const std::string how = argc > 1 ? argv[1] : "short";
  roam::run(argc, argv, [how] {
    roam::spawn_team(2 * roam::ranks(), [how] {
      const roam::Team team = roam::Team::current();
      const int to = how == "near" ? 1 : team.size() - 1;
      if (team.index() == 0) flood(how, team, to);
      if (team.index() == to) team.recv<int>(0, 2);
    }).join();
  });
  std::puts("run returned");
  return 0;
}
