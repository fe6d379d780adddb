// Waits that end at a time, of every kind, with deadlines on stacks: a checkpoint comes in their
// midst, and they end after the time that was left, whatever the clock of the machine shows by
// then.
//
//   waits FOLDER [end | again]    end: the job ends where its checkpoint is made
//                                 again: there is another one when all waits are over
//
// A line for each rank that began: how often its ticker has woken its waiters until the first wait,
// and the last one, was over.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "roam/roam.h"

namespace roam_test {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kWait{6000}, kTick{50};
constexpr int kTicksToCheckpoint = 10;

// Whoever is woken looks at a deadline that it computed before, and waits on.
struct Group {
  roam::Mutex mutex;
  roam::ConditionVariable tick;
  int ticks = 0;
  int waits = 4;
  int first_end = 0;  // at which tick
};

void end_wait(Group& group, bool timed_out) {
  if (!timed_out) std::abort();
  if (group.waits == 4) group.first_end = group.ticks;
  --group.waits;
}

void wait(Group& group) {
  std::unique_lock lock(group.mutex);
  const bool early = group.tick.wait_for(lock, kWait, [] { return false; });
  end_wait(group, !early);
}
void wait_until(Group& group) {
  std::unique_lock lock(group.mutex);
  const bool early =
      group.tick.wait_until(lock, std::chrono::system_clock::now() + kWait, [] { return false; });
  end_wait(group, !early);
}
void wait_for_value(Group& group) {
  roam::Promise<int> promise;
  roam::Future<int> future = promise.get_future();
  end_wait(group, future.wait_for(kWait) == std::future_status::timeout);
}
void sleep(Group& group) {
  roam::this_thread::sleep_for(kWait);
  end_wait(group, true);
}

void run_group(int number, const std::string& folder, bool ends) {
  Group group;
  std::vector<roam::Thread> threads;
  for (const auto body : {wait, wait_until, wait_for_value, sleep})
    threads.push_back(roam::spawn([&group, body] { body(group); }));
  while (group.waits != 0) {
    roam::this_thread::sleep_for(kTick);
    ++group.ticks;
    group.tick.notify_all();
    if (number != 0 || group.ticks != kTicksToCheckpoint || folder == "-") continue;
    if (roam::checkpoint(folder) == roam::Resumed::no && ends) std::_Exit(3);
  }
  for (const roam::Thread& thread : threads) thread.join();
  std::printf("group %d: %d to %d ticks\n", number, group.first_end, group.ticks);
}

}  // namespace
}  // namespace roam_test

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "-";
  const std::string then = argc > 2 ? argv[2] : "";
  const bool ends = then == "end", again = then == "again";
  return roam::run(argc, argv, [folder, ends, again] {
    std::vector<roam::Thread> groups;
    for (int r = 0; r < roam::ranks(); ++r) {
      groups.push_back(roam::spawn(roam::SpawnOptions{.name = "group", .rank = r},
                                   roam_test::run_group, r, folder, ends));
    }
    for (const roam::Thread& group : groups) group.join();
    if (again) roam::checkpoint(folder);
    return 0;
  });
}
