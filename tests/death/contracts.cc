// Broken contracts of synchronisation, and std::terminate.
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "roam/roam.h"
#include "tests/death/death.h"

namespace roam_test {
namespace {

DEATH(unlock_of_a_mutex_not_held) {
  roam::Mutex mutex;
  mutex.unlock();
}

DEATH(unlock_of_a_mutex_that_another_holds) {
  static roam::Mutex mutex;
  static bool held = false;
  roam::spawn(roam::SpawnOptions{.name = "holder"}, [] {
    mutex.lock();
    held = true;
    for (;;) roam::this_thread::yield();
  });
  while (!held) roam::this_thread::yield();
  mutex.unlock();
}

DEATH(mutex_destroyed_while_held) {
  auto mutex = std::make_unique<roam::Mutex>();
  mutex->lock();
  mutex.reset();
}

DEATH(ended_while_it_holds_a_mutex) {
  static roam::Mutex mutex;
  roam::spawn(roam::SpawnOptions{.name = "holder"}, [] { mutex.lock(); }).join();
}

DEATH(ended_by_an_exception_while_it_holds_a_mutex) {
  static roam::Mutex mutex;
  roam::spawn(roam::SpawnOptions{.name = "holder"}, [] {
    mutex.lock();
    throw std::runtime_error("the cause");
  }).join();
}

DEATH(pin_destroyed_by_another_thread) {
  auto pin = std::make_unique<roam::this_thread::Pin>();
  roam::spawn(roam::SpawnOptions{.name = "other"}, [&pin] { pin.reset(); }).join();
}

// The last member's parts are longer. `finish` says how members end the call.
template <class Finish>
void exchange_of_two_lengths(Finish finish) {
  roam::spawn_team(4, [finish] {
    const roam::Team team = roam::Team::current();
    const std::vector<double> eights(4);
    const std::vector<float> fours(4);
    std::vector<double> some(4);
    std::vector<float> others(4);
    finish(team.index() == 3 ? team.ialltoall(eights, some) : team.ialltoall(fours, others));
  }).join();
}

DEATH(parts_of_alltoall_of_another_length) {
  exchange_of_two_lengths([](roam::Request request) { (void)request.wait(); });
}

DEATH(parts_of_another_length_are_asked_for) {
  exchange_of_two_lengths([](roam::Request request) {
    while (!request.test()) {
    }
  });
}

DEATH(operation_that_throws) {
  roam::spawn_team(8, [] {
    roam::Team::current().allreduce(1, [](int, int) -> int { throw std::range_error("too much"); });
  }).join();
}

DEATH(operation_that_waits) {
  static roam::Mutex mutex;
  roam::spawn_team(8, [] {
    roam::Team::current().allreduce(1, [](int a, int b) {
      const std::scoped_lock lock(mutex);
      return a + b;
    });
  }).join();
}

DEATH(terminate) { std::terminate(); }

DEATH(exception_through_noexcept) {
  [](int n) noexcept {
    if (n > 0) throw std::runtime_error("through noexcept (23)");
  }(roam::ranks());
}

DEATH(abort_in_a_thread) { std::abort(); }

}  // namespace
}  // namespace roam_test
