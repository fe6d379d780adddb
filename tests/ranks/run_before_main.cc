// roam::run where it cannot be: in the constructor of a static, and in two kernel threads at once.
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

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

std::atomic<int> refused = 0, ran = 0;

// The job ends once on each rank the other caller was refused.
void wait_for_refusals() {
  for (int r = 0; r < roam::ranks(); ++r) {
    roam::spawn(roam::SpawnOptions{.rank = r}, [] {
      while (refused == 0) roam::this_thread::sleep_for(std::chrono::milliseconds(1));
    }).join();
  }
}

}  // namespace

int main(int argc, char** argv) {
  roam_test::expect(early.refused, "run before main is refused");
  // Of two kernel threads one runs the job, until the other was refused.
  std::vector<std::thread> callers;
  for (int i = 0; i < 2; ++i) {
    callers.emplace_back([&] {
      try {
        roam::run(argc, argv, wait_for_refusals);
        ++ran;
      } catch (const roam::Error& error) {
        if (error.code() == roam::Errc::not_running) ++refused;
      }
    });
  }
  for (std::thread& t : callers) t.join();
  roam_test::expect_eq(ran.load(), 1, "runs");
  roam_test::expect_eq(refused.load(), 1, "refused");
  return 0;
}
