// Waits for child processes.

#include <sys/resource.h>
#include <sys/wait.h>

#include "threads/descriptor_waits.h"

namespace {

using roam::threads::Tcb;
using namespace roam::threads::wait_calls;

Real<pid_t(pid_t, int*, int, rusage*)> real_wait4("wait4", nullptr);
Real<int(idtype_t, id_t, siginfo_t*, int)> real_waitid("waitid", nullptr);

[[gnu::constructor]] void find_early() {
  real_wait4.prepare();
  real_waitid.prepare();
}

std::int64_t deadline_of(int options) { return (options & WNOHANG) != 0 ? kAtOnce : kForEver; }

pid_t wait_from(Tcb* self, const char* call, pid_t child, int* status, int options, rusage* usage) {
  pid_t result = 0;
  const Asked asked = ask_outside(
      self, call, -1, [&] { return deadline_of(options); },
      [&] { return (result = real_wait4(child, status, options | WNOHANG, usage)) != 0; });
  return asked == Asked::kByLibc ? real_wait4(child, status, options, usage) : result;
}

}  // namespace

ROAM_EXPORT pid_t wait(int* status) {
  return wait_from(asker(__builtin_return_address(0)), "wait", -1, status, 0, nullptr);
}
ROAM_EXPORT pid_t waitpid(pid_t child, int* status, int options) {
  return wait_from(asker(__builtin_return_address(0)), "waitpid", child, status, options, nullptr);
}
ROAM_EXPORT pid_t wait3(int* status, int options, rusage* usage) noexcept {
  return wait_from(asker(__builtin_return_address(0)), "wait3", -1, status, options, usage);
}
ROAM_EXPORT pid_t wait4(pid_t child, int* status, int options, rusage* usage) noexcept {
  return wait_from(asker(__builtin_return_address(0)), "wait4", child, status, options, usage);
}
ROAM_EXPORT int waitid(idtype_t type, id_t id, siginfo_t* info, int options) {
  siginfo_t own{};
  siginfo_t* const found = info != nullptr ? info : &own;
  int result = 0;
  const Asked asked = ask_outside(
      asker(__builtin_return_address(0)), "waitid", -1, [&] { return deadline_of(options); },
      [&] {
        found->si_pid = 0;
        result = real_waitid(type, id, found, options | WNOHANG);
        return result != 0 || found->si_pid != 0;
      });
  return asked == Asked::kByLibc ? real_waitid(type, id, info, options) : result;
}
