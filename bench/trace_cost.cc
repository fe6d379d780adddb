// What does ROAM_TRACE cost? Run it without and with it, on 2 ranks, and compare.
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <vector>

#include "bench/contest.h"
#include "roam/roam.h"

namespace {

constexpr int kSlices = 9;

// Prints the best and the median of nanoseconds an operation, of which `run` does `count`.
template <class Run>
void measure(const char* what, std::size_t count, Run run) {
  std::vector<double> ns;
  for (int i = 0; i < kSlices; ++i) {
    const std::int64_t begin_ns = bench::now_ns();
    run();
    ns.push_back(static_cast<double>(bench::now_ns() - begin_ns) / static_cast<double>(count));
  }
  std::sort(ns.begin(), ns.end());
  std::printf("%-16s best %8.1f ns, median %8.1f ns\n", what, ns[0], ns[kSlices / 2]);
}

void measure_all() {
  constexpr std::size_t kYields = 300'000, kSpawns = 20'000, kHops = 5'000;
  bool stop = false;
  const roam::Thread other = roam::spawn([&stop] {
    while (!stop) roam::this_thread::yield();
  });
  measure("switch", 2 * kYields, [] {
    for (std::size_t i = 0; i < kYields; ++i) roam::this_thread::yield();
  });
  stop = true;
  other.join();
  measure("spawn and join", kSpawns, [] {
    for (std::size_t i = 0; i < kSpawns; ++i) roam::spawn([] {}).join();
  });
  if (roam::ranks() == 1) return;
  measure("hop", 2 * kHops, [] {
    for (std::size_t i = 0; i < kHops; ++i) {
      roam::this_thread::migrate(1);
      roam::this_thread::migrate(0);
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
  return roam::run(argc, argv, [] { measure_all(); });
}
