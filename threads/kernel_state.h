#ifndef ROAM_THREADS_KERNEL_STATE_H_
#define ROAM_THREADS_KERNEL_STATE_H_

#include <cstdint>

#include "threads/guest.h"
#include "threads/tcb.h"

namespace roam::threads {

// What a kernel thread has for whoever runs on it, where a thread has asked for its own: the signal
// mask, and the status of the x87 (flags of exceptions in long double); and guests. It goes where
// the thread goes. A switch between threads does not look at it: a thread that keeps any takes the
// slow one each time, by way of the rank's own stack unless all that it keeps is a guest, and puts
// it back when it runs again. Context: the rank's kernel thread.
class KernelState {
 public:
  // Bits of Tcb::keeps.
  static constexpr std::uint8_t kSignalMask = 1, kX87 = 2, kGuest = 4;

  // As rt_sigprocmask, with the kernel's masks: 0, or an error number. What makes the arena work,
  // SIGSEGV and SIGBUS, is never blocked on the rank's kernel thread. What a handler of a signal
  // changes is the handler's, and ends with it. Context: any.
  static int set_signal_mask(int how, const std::uint64_t* set, std::uint64_t* old);
  // Whether plain code has blocked all of `signals`: no thread has them in another's place, unless
  // it asked for its own mask.
  static bool rank_blocks(std::uint64_t signals);
  // The calling thread looks at the flags of the x87, or has exceptions trap, from now on. Before
  // it has `traps`, flags that others have left are cleared. Nothing outside threads. Context: any.
  static void watch_x87(bool traps);
  // The calling thread has `guest`, which lies in its memory, from now on; null: none any more. One
  // that has just been set is not told to enter. Threads only.
  static void set_guest(Guest* guest);
  // `child` begins with the signal mask of `parent`, which runs.
  static void inherit(detail::Tcb* child, const detail::Tcb* parent);

  // Around the time in which `self` does not run.
  static void left(detail::Tcb* self) {
    if (self->keeps != 0) [[unlikely]]
      leave(self);
  }
  static void entered(detail::Tcb* self) {
    if (self->keeps != 0) [[unlikely]]
      enter(self);
  }
  // `t`, which does not run, is about to leave this rank.
  static void departs(detail::Tcb* t) {
    if ((t->keeps & kGuest) != 0) [[unlikely]]
      t->guest->depart();
  }
  static void ended(detail::Tcb* self) {
    left(self);
    self->keeps = 0;
  }

 private:
  static void leave(detail::Tcb* self);
  static void enter(detail::Tcb* self);
};

}  // namespace roam::threads

#endif  // ROAM_THREADS_KERNEL_STATE_H_
