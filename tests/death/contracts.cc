// Broken contracts of synchronisation, and std::terminate.
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>

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

DEATH(terminate) { std::terminate(); }

DEATH(exception_through_noexcept) {
  [](int n) noexcept {
    if (n > 0) throw std::runtime_error("through noexcept (23)");
  }(roam::ranks());
}

DEATH(abort_in_a_thread) { std::abort(); }

}  // namespace
}  // namespace roam_test
