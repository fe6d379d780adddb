// Threads that wait, sleep and run, and a function to stop in. With an argument it ends there.
#include <chrono>
#include <csignal>
#include <cstdio>

#include "roam/roam.h"

namespace {

// Nothing inline: the test looks for these names in stacks.
[[gnu::noinline]] int wait_deep_down(roam::Mutex& mutex, int depth) {
  if (depth > 0) {
    const int below = wait_deep_down(mutex, depth - 1);
    asm volatile("");  // or the compiler makes a loop of it
    return below + 1;
  }
  mutex.lock();
  mutex.unlock();
  return 0;
}

[[gnu::noinline]] void sleep_a_little() {
  roam::this_thread::sleep_for(std::chrono::milliseconds(300));
  asm volatile("");
}

}  // namespace

extern "C" [[gnu::noinline]] void stop_here(bool for_good) {
  if (for_good) std::raise(SIGQUIT);  // writes a core
}

int main(int argc, char** argv) {
  const bool for_good = argc > 1;
  return roam::run(argc, argv, [for_good] {
    roam::Mutex mutex;
    mutex.lock();
    int depth = 0;
    roam::Thread waiter =
        roam::spawn({.name = "waiter"}, [&] { depth = wait_deep_down(mutex, 3); });
    roam::Thread sleeper = roam::spawn({.name = "sleeper"}, [] { sleep_a_little(); });
    roam::this_thread::yield();
    roam::this_thread::yield();
    stop_here(for_good);
    mutex.unlock();
    waiter.join();
    sleeper.join();
    std::printf("waiting: all joined, depth %d\n", depth);
  });
}
