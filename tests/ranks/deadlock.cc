// Programs in which every thread waits and nothing can wake one: deadlock
// joins|mutex|latch|channel|afar.
#include <cstdio>
#include <string>
#include <string_view>

#include "roam/roam.h"

namespace {

roam::Latch latch(1);  // one on each rank
roam::Mutex mutex;
roam::Channel<int> channel;

void wait_for(std::string what) {
  if (what == "latch") latch.wait();
  if (what == "mutex") {
    mutex.lock();
    roam::spawn([] { mutex.lock(); }).join();
  }
  if (what == "channel") channel.recv();
  if (what == "joins") {
    const roam::Thread self = roam::this_thread::self();
    roam::spawn(roam::SpawnOptions{.name = "second"}, [self] { self.join(); }).join();
  }
  // On other ranks: each link joins the next, the last waits.
  if (what == "afar") {
    if (roam::rank() + 1 == roam::ranks()) latch.wait();
    roam::spawn(roam::SpawnOptions{.name = "link", .rank = roam::rank() + 1}, wait_for, what)
        .join();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "latch";
  roam::run(argc, argv, [what] {
    // Work elsewhere ends first; then there is nobody left to wake the rest.
    roam::Thread other = roam::spawn(roam::SpawnOptions{.rank = roam::ranks() - 1}, [] {
      roam::this_thread::sleep_for(std::chrono::milliseconds(100));
    });
    wait_for(what);
    other.join();
  });
  printf("run returned\n");
  return 0;
}
