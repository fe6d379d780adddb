// Waits for signals. Others run meanwhile where plain code has blocked the signals, so that none of
// them has one in its place; else libc's own, which stops the rank.

#include <signal.h>

#include "threads/descriptor_waits.h"
#include "threads/kernel_state.h"

namespace {

using roam::threads::KernelState;
using roam::threads::Tcb;
using namespace roam::threads::wait_calls;

Real<int(const sigset_t*, siginfo_t*, const timespec*)> real_sigtimedwait("sigtimedwait", nullptr);

std::int64_t deadline_of(const sigset_t* set, const timespec* timeout) {
  std::uint64_t bits;  // the kernel's part of it
  __builtin_memcpy(&bits, set, sizeof bits);
  if (!KernelState::rank_blocks(bits)) return kByLibc;
  if (timeout == nullptr) return kForEver;
  if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1'000'000'000)
    return kByLibc;
  const std::int64_t ns = to_ns(timeout->tv_sec, timeout->tv_nsec);
  return ns == 0 ? kAtOnce : deadline_after(ns);
}

int wait_from(Tcb* self, const char* call, const sigset_t* set, siginfo_t* info,
              const timespec* timeout) {
  constexpr timespec kNoTime{};
  int result = -1;
  const Asked asked = ask_outside(
      self, call, -1, [&] { return deadline_of(set, timeout); },
      [&] {
        result = real_sigtimedwait(set, info, &kNoTime);
        return result >= 0 || errno != EAGAIN;
      });
  if (asked == Asked::kByLibc) return real_sigtimedwait(set, info, timeout);
  if (asked == Asked::kTimeOut) errno = EAGAIN;
  return result;
}

}  // namespace

ROAM_EXPORT int sigtimedwait(const sigset_t* set, siginfo_t* info, const timespec* timeout) {
  return wait_from(asker(__builtin_return_address(0)), "sigtimedwait", set, info, timeout);
}
ROAM_EXPORT int sigwaitinfo(const sigset_t* set, siginfo_t* info) {
  return wait_from(asker(__builtin_return_address(0)), "sigwaitinfo", set, info, nullptr);
}
ROAM_EXPORT int sigwait(const sigset_t* set, int* signal) {
  const int before = errno;
  int result;
  do {
    result = wait_from(asker(__builtin_return_address(0)), "sigwait", set, nullptr, nullptr);
  } while (result < 0 && errno == EINTR);
  const int error = errno;
  errno = before;
  if (result < 0) return error;
  *signal = result;
  return 0;
}
