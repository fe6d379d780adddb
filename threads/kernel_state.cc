#include "threads/kernel_state.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "threads/scheduler.h"

namespace roam::threads {
namespace {

// What the rank's kernel thread has while no thread's own is there: what plain code has set. What
// is found in a thread does not tell, since it may be that of a handler.
std::uint64_t rank_mask = 0;
// Whose own is there now; null: nobody's.
const Tcb* present = nullptr;

constexpr std::uint64_t bit_of(int signal) { return std::uint64_t{1} << (signal - 1); }
// libc's own too: of cancellation, and of setuid in all kernel threads.
constexpr std::uint64_t kInternal = bit_of(32) | bit_of(33);
constexpr std::uint64_t kFaults = bit_of(SIGSEGV) | bit_of(SIGBUS);

int change(int how, const std::uint64_t* set, std::uint64_t* old) {
  const int error = errno;
  const long result = syscall(SYS_rt_sigprocmask, how, set, old, sizeof *old);
  const int number = result == 0 ? 0 : errno;
  errno = error;
  return number;
}

// It has what the process was started with.
[[gnu::constructor(104)]] void note_first_mask() {
  change(SIG_BLOCK, nullptr, &rank_mask);
  rank_mask &= ~kFaults;
}

Tcb* caller() { return on_rank_thread ? scheduler().current() : nullptr; }

// Whether it is a handler of a signal that has changed the mask from `before` to `now`, where
// `known` is what whoever it interrupted has: the kernel blocks more while one runs, and takes that
// back when it returns. One that unblocks all of that is on its way out, by a jump.
bool is_of_handler(std::uint64_t known, std::uint64_t before, std::uint64_t now) {
  const std::uint64_t added = before & ~known & ~kFaults;
  return (known & ~before & ~kFaults) == 0 && (added & now) != 0;
}

}  // namespace

int KernelState::set_signal_mask(int how, const std::uint64_t* set, std::uint64_t* old) {
  if (set == nullptr) return change(how, nullptr, old);
  std::uint64_t wanted = *set, before = 0, now = 0;
  if (how != SIG_UNBLOCK) wanted &= ~(kInternal | (on_rank_thread ? kFaults : 0));
  if (const int error = change(how, &wanted, &before); error != 0) return error;
  if (old != nullptr) *old = before;
  Tcb* self = caller();
  change(SIG_BLOCK, nullptr, &now);
  const bool keeps = self != nullptr && (self->keeps & kSignalMask) != 0;
  if (is_of_handler(keeps ? self->signal_mask : rank_mask, before, now)) return 0;
  if (self == nullptr) {
    if (on_rank_thread || is_first_kernel_thread()) rank_mask = now & ~kFaults;
    return 0;
  }
  self->signal_mask = now;
  self->keeps &= static_cast<std::uint8_t>(~kSignalMask);
  if (now != rank_mask) self->keeps |= kSignalMask;
  present = self->keeps != 0 ? self : nullptr;
  if (present != nullptr) scheduler().visit_next();
  return 0;
}

bool KernelState::rank_blocks(std::uint64_t signals) { return (signals & ~rank_mask) == 0; }

void KernelState::watch_x87(bool traps) {
  Tcb* self = caller();
  if (self == nullptr || (self->keeps & kX87) != 0) return;
  if (traps) asm volatile("fnclex");
  self->keeps |= kX87;
  present = self;
  scheduler().visit_next();
}

void KernelState::set_guest(Guest* guest) {
  Tcb* self = caller();
  self->guest = guest;
  self->keeps &= static_cast<std::uint8_t>(~kGuest);
  if (guest != nullptr) self->keeps |= kGuest;
  present = self->keeps != 0 ? self : nullptr;
  if (present != nullptr) scheduler().visit_next();
}

void KernelState::inherit(Tcb* child, const Tcb* parent) {
  if ((parent->keeps & kSignalMask) == 0) return;
  child->keeps = kSignalMask;
  child->signal_mask = parent->signal_mask;
}

void KernelState::leave(Tcb* self) {
  present = nullptr;
  scheduler().give_back();
  if ((self->keeps & kSignalMask) != 0) change(SIG_SETMASK, &rank_mask, nullptr);
  // What follows, and the rank's own stack, shall not trap for this one's flags.
  if ((self->keeps & kX87) != 0) asm volatile("fnstenv %0\n\tfnclex" : "=m"(self->x87_state));
}

void KernelState::enter(Tcb* self) {
  if (present == self) return;
  present = self;
  if ((self->keeps & kSignalMask) != 0) change(SIG_SETMASK, &self->signal_mask, nullptr);
  if ((self->keeps & kX87) != 0) asm volatile("fnclex\n\tfldenv %0" : : "m"(self->x87_state));
  if ((self->keeps & kGuest) != 0) {
    const iso::HeapScope process;
    const int error = errno;  // the thread's, by now
    self->guest->enter();
    errno = error;
  }
  if (self->keeps == kGuest) {
    scheduler().hold_back();
  } else {
    scheduler().visit_next();
  }
}

}  // namespace roam::threads
