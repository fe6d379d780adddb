// A node whose memory is used up for good: the job ends, and says so. full_for_good HOW.
#include <chrono>
#include <cstdio>
#include <string>

#include "roam/roam.h"
#include "tests/ranks/hoard.h"

// Run with ROAM_MEMORY=64M.
int main(int argc, char** argv) {
  const std::string how = argc > 1 ? argv[1] : "message";
  roam::run(argc, argv, [how] {
    roam::spawn_team(roam::ranks(), [how] {
      const roam::Team team = roam::Team::current();
      const int last = team.size() - 1;
      if (how == "collective") {
        if (team.index() == last) {
          const roam_test::Hoard hoard;
          team.allgather(1.0);
        } else {
          team.allgather(1.0);
        }
      } else if (team.index() == 0) {
        team.recv<int>(last, 1);
        roam::this_thread::sleep_for(std::chrono::milliseconds(200));
        team.send(last, 2, 17);
        team.recv<int>(last, 3);
      } else if (team.index() == last) {
        team.send(0, 1, 1);
        const roam_test::Hoard hoard;
        team.send(0, 3, team.recv<int>(0, 2));
      }
    }).join();
  });
  std::puts("run returned");
  return 0;
}
