// One fails with a text of its own while others wait for what it would have given:
// lost_cause member|giver|afar. The text must be read.
#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>

#include "roam/roam.h"

namespace {

void member() {
  roam::Team team = roam::spawn_team(roam::SpawnOptions{.name = "solver"}, 4, [] {
    const roam::Team team = roam::Team::current();
    if (team.index() == 2) throw std::runtime_error("no file of the name 'grid' (17)");
    team.barrier();
  });
  team.join();
}

void giver() {
  roam::Promise<int> promise;
  roam::Future<int> future = promise.get_future();
  roam::spawn(roam::SpawnOptions{.name = "reader", .rank = roam::ranks() - 1},
              [] { throw std::runtime_error("no file of the name 'grid' (17)"); });
  future.get();
}

// A Promise is of the rank where its Future is.
void afar() {
  roam::Promise<int> promise;
  roam::Future<int> future = promise.get_future();
  roam::spawn(roam::SpawnOptions{.name = "reader", .rank = roam::ranks() - 1},
              [p = std::move(promise)]() mutable { p.set_value(1); });
  future.get();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string how = argc > 1 ? argv[1] : "member";
  roam::run(argc, argv, [how] { how == "member" ? member() : how == "giver" ? giver() : afar(); });
  std::printf("run returned\n");
  return 0;
}
