// A node that has no memory for a thread (ROAM_MEMORY) refuses it: the thread goes on where it was,
// whole.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

constexpr std::size_t kMiB = 1 << 20;
bool hoarding, enough;  // one on each rank

// Run with ROAM_MEMORY=100M and a node a rank.
SCENARIO(MemoryLimit, AMoveThatTheTargetCannotTakeIsRefused) {
  const int here = roam::rank();
  const int to = stranger();
  const roam::Thread hoarder = roam::spawn(roam::SpawnOptions{.rank = to}, [] {
    {
      std::vector<unsigned char> hoard(60 * kMiB);
      Pattern(1).fill(hoard.data(), hoard.size());
      hoarding = true;
      yield_until([] { return enough; });
      Pattern(1).verify(hoard.data(), hoard.size(), "memory of the thread that was there first");
    }
    hoarding = false;
  });
  on_rank(to, [] { yield_until([] { return hoarding; }); });

  std::vector<unsigned char> mine(60 * kMiB);
  Pattern(2).fill(mine.data(), mine.size());
  for (int i = 0; i < 3; ++i) {
    expect_error(roam::Errc::out_of_memory, {}, [to] { roam::this_thread::migrate(to); });
    expect_eq(roam::rank(), here, "rank after the refusal");
    Pattern(2).verify(mine.data(), mine.size(), "memory after the refusal");
  }
  on_rank(to, [] {  // a small one still goes there
    enough = true;
    yield_until([] { return !hoarding; });
  });
  hoarder.join();
  roam::this_thread::migrate(to);
  Pattern(2).verify(mine.data(), mine.size(), "memory after the move");
}

}  // namespace
}  // namespace roam_test

int main(int argc, char** argv) { return roam_test::run_scenarios(argc, argv); }
