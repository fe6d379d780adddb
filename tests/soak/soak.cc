// A job that does all that programs do, over and over, takes no more memory at its end than after a
// quarter of its time.
//
//   soak [--seconds=N] [--seed=N] [--only=KIND]
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/soak/memory.h"
#include "tests/soak/traffic.h"
#include "tests/support/random.h"

namespace roam_test {
namespace {

using Clock = std::chrono::steady_clock;

// What may differ between two looks though nothing grows: how much is kept for reuse just then, by
// this library, glibc and MPI.
constexpr double kMostGrowth = 1.10;
constexpr std::size_t kNoiseBytes = 16 << 20;

// Of all ranks, by rank.
std::vector<Memory> look() {
  std::vector<Memory> all(static_cast<std::size_t>(roam::ranks()));
  for (int r = 0; r < roam::ranks(); ++r) {
    roam::this_thread::migrate(r);
    const roam::SystemHeap system;
    all[static_cast<std::size_t>(r)] = memory_now();
  }
  roam::this_thread::migrate(0);
  return all;
}

void show(const char* when, const std::vector<Memory>& all) {
  std::printf("soak: %s:", when);
  for (const Memory& memory : all)
    std::printf(" %.1f + %.1f MiB", static_cast<double>(memory.resident) / (1 << 20),
                static_cast<double>(memory.arena) / (1 << 20));
  std::printf("\n");
  std::fflush(stdout);
}

bool grew(std::size_t before, std::size_t after) {
  return static_cast<double>(after) > static_cast<double>(before) * kMostGrowth + kNoiseBytes;
}

int soak(double seconds, std::uint64_t seed, int only) {
  std::printf("soak: --seconds=%g --seed=%llu on %d ranks; resident + arena of each\n", seconds,
              static_cast<unsigned long long>(seed), roam::ranks());
  const Clock::time_point begin = Clock::now();
  std::vector<Memory> quarter;
  Random random(seed);
  std::uint64_t rounds = 0;
  for (int looks = 0;;) {
    // One driver on each rank, so that all kinds meet.
    std::vector<roam::Thread> drivers;
    for (int r = 0; r < roam::ranks(); ++r) {
      const std::uint64_t driver_seed = random.next();
      drivers.push_back(
          roam::spawn(roam::SpawnOptions{.name = "driver", .rank = r}, [driver_seed, only] {
            Random mine(driver_seed);
            for (int i = 0; i < 10; ++i) {
              const auto any = mine.below(static_cast<std::uint64_t>(kKindsOfTraffic));
              kTraffic[only >= 0 ? static_cast<std::size_t>(only) : any].run(mine.next());
            }
          }));
    }
    for (roam::Thread driver : drivers) driver.join();
    ++rounds;
    const double passed = std::chrono::duration<double>(Clock::now() - begin).count();
    if (passed < seconds * (looks + 1) / 8) continue;
    ++looks;
    const std::vector<Memory> now = look();
    show((std::to_string(static_cast<int>(passed)) + " s").c_str(), now);
    if (looks == 2) quarter = now;
    if (passed < seconds) continue;
    std::printf("soak: %llu rounds\n", static_cast<unsigned long long>(rounds));
    for (std::size_t r = 0; r < now.size(); ++r) {
      if (!grew(quarter[r].resident, now[r].resident) && !grew(quarter[r].arena, now[r].arena))
        continue;
      std::fprintf(stderr, "soak: the memory of rank %zu has grown since a quarter of the time\n",
                   r);
      return 1;
    }
    return 0;
  }
}

}  // namespace
}  // namespace roam_test

int main(int argc, char** argv) {
  double seconds = 20;
  std::uint64_t seed = 1;
  int only = -1;
  return roam::run(argc, argv, [&] {
    for (int i = 1; i < argc; ++i) {
      const std::string arg = argv[i];
      if (arg.starts_with("--seconds=")) seconds = std::strtod(arg.c_str() + 10, nullptr);
      for (int kind = 0; kind < roam_test::kKindsOfTraffic; ++kind)
        if (arg == std::string("--only=") + roam_test::kTraffic[kind].name) only = kind;
      if (arg.starts_with("--seed=")) seed = std::strtoull(arg.c_str() + 7, nullptr, 0);
    }
    return roam_test::soak(seconds, seed, only);
  });
}
