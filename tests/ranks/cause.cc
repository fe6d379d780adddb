// Programs that cannot go on because a thread failed: cause member|promise|afar|swallowed. What
// the thread failed with is said, whoever waits for it.
#include <cstdio>
#include <stdexcept>
#include <string>

#include "roam/roam.h"

namespace {

void fail() { throw std::runtime_error("no mesh in file 17"); }

void wait_for_a_member() {
  roam::spawn_team(roam::SpawnOptions{.name = "solver"}, 4, [] {
    const roam::Team team = roam::Team::current();
    if (team.index() == 2) fail();
    team.barrier();
  }).join();
}

// Whoever was to give the value fails before.
void wait_for_a_value(int rank) {
  roam::Promise<int> promise;
  roam::Future<int> future = promise.get_future();
  const roam::Thread reader =
      roam::spawn(roam::SpawnOptions{.name = "reader", .rank = rank}, [] { fail(); });
  std::printf("got %d\n", future.get());
  reader.join();
}

// The exception was caught where it was joined, and something waits all the same.
void swallow() {
  roam::Latch latch(1);
  const roam::Thread reader = roam::spawn(roam::SpawnOptions{.name = "reader"}, [] { fail(); });
  try {
    reader.join();
  } catch (const std::exception&) {
  }
  latch.wait();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "member";
  roam::run(argc, argv, [what] {
    if (what == "member") wait_for_a_member();
    if (what == "promise") wait_for_a_value(0);
    if (what == "afar") wait_for_a_value(roam::ranks() - 1);
    if (what == "swallowed") swallow();
  });
  std::puts("run returned");
  return 0;
}
