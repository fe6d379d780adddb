// run() returns root's int on every rank, once every thread everywhere has ended, also those that
// nobody joins.
#include <cstdio>
#include <string>
#include <vector>

#include "roam/roam.h"

namespace {

int ended_here = 0;  // one on each rank

void wander(int steps, int last) {
  std::vector<std::string> mine(20, std::string(50, 'w'));
  for (int i = 0; i < steps; ++i) {
    roam::this_thread::migrate((roam::rank() + 1) % roam::ranks());
    if (i % 5 == 0) roam::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  roam::this_thread::migrate(last);
  ++ended_here;
}

int fail(const char* what, int got, int want) {
  fprintf(stderr, "rank %d: %s is %d, want %d\n", roam::rank(), what, got, want);
  return 1;
}

constexpr int kThreads = 40;

// A plain function, not a closure.
int root() {
  for (int i = 0; i < kThreads; ++i) roam::spawn(wander, 30 + i, i % roam::ranks());
  return 42;  // at once, while all of them still wander
}

}  // namespace

int main(int argc, char** argv) {
  const int code = roam::run(argc, argv, root);
  if (code != 42) return fail("run()", code, 42);
  const int want = kThreads / roam::ranks() + (roam::rank() < kThreads % roam::ranks());
  if (ended_here != want) return fail("threads that ended here", ended_here, want);
  return 0;
}
