#ifndef ROAM_BASE_OS_GIVE_CORE_H_
#define ROAM_BASE_OS_GIVE_CORE_H_

#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

// Waits of the runtime's own, in the kernel. sched_yield and usleep are the program's: in a thread
// they let other threads run (threads/sleep_calls.cc), which the middle of malloc must not.
namespace roam::os {

// Lets others have the processor for a moment.
inline void give_core() { syscall(SYS_sched_yield); }

// Stops the calling kernel thread.
inline void stop_for_us(long us) {
  const timespec pause{us / 1'000'000, us % 1'000'000 * 1000};
  syscall(SYS_nanosleep, &pause, nullptr);
}

}  // namespace roam::os

#endif  // ROAM_BASE_OS_GIVE_CORE_H_
