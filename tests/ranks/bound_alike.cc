// All ranks are bound to one core before main, as OpenMP does it: the start says so, once a
// machine.
#include <sched.h>

#include <cstdio>

#include "roam/roam.h"

namespace {

const bool bound = [] {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return false;
  if (CPU_COUNT(&cores) == 1) std::puts("SKIPPED: there is one core only");
  int first = 0;
  while (!CPU_ISSET(first, &cores)) ++first;
  CPU_ZERO(&cores);
  CPU_SET(first, &cores);
  return sched_setaffinity(0, sizeof cores, &cores) == 0;
}();

}  // namespace

int main(int argc, char** argv) {
  if (!bound) return 1;
  return roam::run(argc, argv, [] {
    for (int r = 0; r < roam::ranks(); ++r)
      roam::spawn(roam::SpawnOptions{.rank = r}, [] {}).join();
  });
}
