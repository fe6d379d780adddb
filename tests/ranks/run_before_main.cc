// roam::run where it cannot be: in the constructor of a static, and in two kernel threads at once.
#include <atomic>
#include <chrono>
#include <thread>

#include "roam/roam.h"
#include "tests/support/check.h"

namespace {

int words = 0;
char** none = nullptr;

struct Early {
  Early() {
    try {
      roam::run(words, none, [] {});
    } catch (const roam::Error& error) {
      refused = error.code() == roam::Errc::not_running;
    }
  }
  bool refused = false;
} early;

std::atomic<bool> begun = false, refused = false;

// On each rank: the other caller may come, and the job ends once it was refused.
void wait_for_refusals() {
  for (int r = 0; r < roam::ranks(); ++r) {
    roam::spawn(roam::SpawnOptions{.rank = r}, [] {
      begun = true;
      while (!refused) roam::this_thread::sleep_for(std::chrono::milliseconds(1));
    }).join();
  }
}

}  // namespace

int main(int argc, char** argv) {
  roam_test::expect(early.refused, "run before main is refused");
  // The same of them on each rank runs the job: kernel threads have storage of their own.
  std::thread first([&] { roam::run(argc, argv, wait_for_refusals); });
  std::thread second([&] {
    while (!begun) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    try {
      roam::run(argc, argv, [] {});
    } catch (const roam::Error& error) {
      refused = error.code() == roam::Errc::not_running;
    }
  });
  first.join();
  second.join();
  roam_test::expect(refused, "run beside a run is refused");
  return 0;
}
