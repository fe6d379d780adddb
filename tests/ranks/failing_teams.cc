// Teams that cannot be made leave nothing, however many. Run with ROAM_MEMORY=64M.
#include <cstdio>
#include <stdexcept>

#include "roam/roam.h"
#include "tests/support/check.h"

namespace {

// Its copy fails where a member is made.
struct Fragile {
  Fragile() = default;
  Fragile(const Fragile&) {
    if (roam::this_thread::name() == "team maker") throw std::length_error("no copy here");
  }
  void operator()() const { throw std::logic_error("a member ran"); }
};

}  // namespace

int main(int argc, char** argv) {
  return roam::run(argc, argv, [] {
    // A span of a heap is 64 KiB.
    for (int i = 0; i < 2000; ++i) {
      (void)roam_test::expect_throws<std::length_error>(
          [] { (void)roam::spawn_team(1, Fragile()); }, "spawn_team");
    }
    return 0;
  });
}
