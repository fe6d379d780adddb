// Handlers of signals are the process's: one in an image would be called when it is elsewhere, and
// another virtual rank's would take its place. What ends a program is told of by the launcher, with
// the virtual rank; run-time libraries that set handlers for that (libgfortran) may believe that
// they have. Other handlers are refused aloud.

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iterator>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/heap.h"
#include "mpi/image/image.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

constexpr int kTold[] = {SIGABRT, SIGBUS, SIGFPE,  SIGILL,  SIGQUIT,
                         SIGSEGV, SIGSYS, SIGTRAP, SIGXCPU, SIGXFSZ};

bool is_told(int signal) {
  return std::find(std::begin(kTold), std::end(kTold), signal) != std::end(kTold);
}

// Whether the process does it, while the virtual rank runs.
bool is_plain(const struct sigaction* action) {
  return action == nullptr || action->sa_handler == SIG_DFL || action->sa_handler == SIG_IGN;
}

int set_action(int signal, const struct sigaction* action, struct sigaction* old) {
  if (is_told(signal) && action != nullptr) {
    if (old != nullptr) *old = {};
    return 0;
  }
  if (is_plain(action)) {
    const int result = Image::running()->signal_actions().set(signal, action, old);
    if (result == 0 && action != nullptr && signal == SIGALRM)
      Image::running()->alarm().set_ignored(action->sa_handler == SIG_IGN);
    return result;
  }
  {
    const iso::HeapScope process;
    report(text("a handler of signal %d (%s) in a virtual rank is refused: the process has one for "
                "all of its virtual ranks, and they move",
                signal, sigabbrev_np(signal) != nullptr ? sigabbrev_np(signal) : "?")
               .c_str());
  }
  errno = ENOSYS;
  return -1;
}

sighandler_t set_handler(int signal, sighandler_t handler) {
  struct sigaction action {
  }, old{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  return set_action(signal, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

// ---- names of System V ----

sighandler_t set_and_unblock(int signal, sighandler_t disposition) {
  sigset_t mask, before;
  if (sigemptyset(&mask) != 0 || sigaddset(&mask, signal) != 0) return SIG_ERR;
  const bool holds = disposition == SIG_HOLD;
  struct sigaction old {};
  const int set = holds ? set_action(signal, nullptr, &old) : [&] {
    struct sigaction action {};
    action.sa_handler = disposition;
    return set_action(signal, &action, &old);
  }();
  if (set != 0 || sigprocmask(holds ? SIG_BLOCK : SIG_UNBLOCK, &mask, &before) != 0) return SIG_ERR;
  if (signal == SIGALRM) Image::running()->alarm().set_blocked(holds);
  return sigismember(&before, signal) == 1 ? SIG_HOLD : old.sa_handler;
}
int ignore(int signal) { return set_handler(signal, SIG_IGN) == SIG_ERR ? -1 : 0; }
// What a handler interrupts: there are none.
int set_interrupts(int signal, int) {
  struct sigaction old {};
  return set_action(signal, nullptr, &old);
}

}  // namespace

long set_kernel_action(int signal, const KernelAction* action, KernelAction* old,
                       std::size_t mask_bytes) {
  struct sigaction now {
  }, before{};
  if (mask_bytes != sizeof(std::uint64_t)) {
    errno = EINVAL;
    return -1;
  }
  if (action != nullptr) {
    now.sa_handler = action->handler;
    now.sa_flags = static_cast<int>(action->flags);
  }
  if (set_action(signal, action == nullptr ? nullptr : &now, &before) != 0) return -1;
  if (old != nullptr)
    *old = {before.sa_handler, static_cast<unsigned long>(before.sa_flags), nullptr, 0};
  return 0;
}

void add_signal_calls() {
  add_launcher_call("sigaction", &set_action);
  add_launcher_call("__sigaction", &set_action);
  add_launcher_call("signal", &set_handler);
  add_launcher_call("bsd_signal", &set_handler);
  add_launcher_call("__sysv_signal", &set_handler);
  add_launcher_call("sysv_signal", &set_handler);
  add_launcher_call("ssignal", &set_handler);
  add_launcher_call("sigset", &set_and_unblock);
  add_launcher_call("sigignore", &ignore);
  add_launcher_call("siginterrupt", &set_interrupts);
  add_alarm_calls();
}

}  // namespace roam::mpi
