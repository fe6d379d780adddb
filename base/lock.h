#ifndef ROAM_BASE_LOCK_H_
#define ROAM_BASE_LOCK_H_

#include <pthread.h>

#include <atomic>

#include "base/os/give_core.h"

namespace roam {

// Mutual exclusion between kernel threads, for a few instructions of the runtime's own: it waits in
// place. A std::mutex would be one of the program's: threads that wait for those let others run
// (threads/wait_calls.cc), which the middle of malloc or of the scheduler must not.
class Lock {
 public:
  void lock() {
    for (int round = 0; taken_.exchange(true, std::memory_order_acquire); ++round) {
      if (round < kSpins) {
        __builtin_ia32_pause();
      } else {
        os::give_core();
      }
    }
  }
  void unlock() { taken_.store(false, std::memory_order_release); }

 private:
  static constexpr int kSpins = 64;
  std::atomic<bool> taken_ = false;
};

// From now on fork waits for `lock`: a child must not find it taken by a kernel thread that is not
// there. Those registered first are taken last: one that is taken while others are held has to be
// registered before them.
template <Lock& lock>
void keep_over_fork() {
  pthread_atfork([] { lock.lock(); }, [] { lock.unlock(); }, [] { lock.unlock(); });
}

}  // namespace roam

#endif  // ROAM_BASE_LOCK_H_
