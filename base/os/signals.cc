#include "base/os/signals.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace roam::os {
namespace {

// The kernel writes no core that is smaller than a page.
constexpr rlim_t kLeastCoreBytes = 4096;

// As the kernel has it. By system call: the program may have functions of its own in place of
// libc's.
struct KernelAction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  unsigned long mask;
};

void set_default_action(int signal) {
  const KernelAction action{SIG_DFL, 0, nullptr, 0};
  syscall(SYS_rt_sigaction, signal, &action, nullptr, sizeof action.mask);
}

}  // namespace

bool writes_core() {
  rlimit limit{};
  if (getrlimit(RLIMIT_CORE, &limit) != 0) return false;
  if (limit.rlim_cur >= kLeastCoreBytes) return true;
  if (limit.rlim_cur == 1) return false;  // says "none" to programs too
  const int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC);
  char first = 0;
  const bool to_program = fd >= 0 && read(fd, &first, 1) == 1 && first == '|';
  if (fd >= 0) close(fd);
  return to_program;
}

void end_by(int signal, const siginfo_t& info) {
  set_default_action(signal);
  // A process may send itself whatever the kernel could have sent it.
  syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), signal, &info);
}

void end_by(int signal) {
  set_default_action(signal);
  const unsigned long bit = 1ul << (signal - 1);
  syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &bit, nullptr, sizeof bit);
  syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal);
}

}  // namespace roam::os
