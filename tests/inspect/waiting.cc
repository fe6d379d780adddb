// Threads that wait, sleep and run, and a function to stop in. The argument: a signal that it sends
// itself there.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>

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

extern "C" [[gnu::noinline]] void stop_here(int signal) {
  if (signal != 0) std::raise(signal);
}

int main(int argc, char** argv) {
  const int signal = argc > 1 ? std::atoi(argv[1]) : 0;
  return roam::run(argc, argv, [signal] {
    roam::Mutex mutex;
    mutex.lock();
    int depth = 0;
    roam::Thread waiter =
        roam::spawn({.name = "waiter"}, [&] { depth = wait_deep_down(mutex, 3); });
    roam::Thread sleeper = roam::spawn({.name = "sleeper"}, [] { sleep_a_little(); });
    roam::this_thread::yield();
    roam::this_thread::yield();
    stop_here(signal);
    mutex.unlock();
    waiter.join();
    sleeper.join();
    std::printf("waiting: all joined, depth %d\n", depth);
  });
}
