#include "threads/crash.h"

#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "base/job_record.h"
#include "base/os/signals.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "isomalloc/heap.h"

// For a debugger that writes a core of a process that goes on: `call (void)roam_prepare_core()`
// before it. Nothing else calls it.
extern "C" [[gnu::used, gnu::retain, gnu::visibility("default")]] void roam_prepare_core() {
  roam::iso::arena().include_in_core();
}

namespace roam::threads {
namespace {

struct Fatal {
  int signal;
  const char* what;
  struct sigaction previous;
};
Fatal fatals[] = {
    {SIGSEGV, "segmentation fault", {}},
    {SIGBUS, "bus error", {}},
    {SIGFPE, "arithmetic exception", {}},
    {SIGILL, "illegal instruction", {}},
    {SIGTRAP, "trap", {}},
    {SIGABRT, "abort", {}},
    {SIGQUIT, "quit", {}},
    {SIGSYS, "bad system call", {}},
    {SIGXCPU, "limit of processor time exceeded", {}},
    {SIGXFSZ, "limit of file size exceeded", {}},
};

Fatal& fatal_of(int signal) {
  Fatal* fatal = fatals;
  while (fatal->signal != signal) ++fatal;
  return *fatal;
}

bool has_address(int signal, const siginfo_t& info) {
  switch (signal) {
    case SIGSEGV:
      return info.si_code == SEGV_MAPERR || info.si_code == SEGV_ACCERR;
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
      return info.si_code > 0 && info.si_code != SI_KERNEL;
    default:
      return false;
  }
}

void include_in_core() {
  iso::HeapScope process;
  const iso::CoreParts parts = iso::arena().include_in_core();
  if (parts.left_out == 0) return;
  char line[200];
  std::snprintf(line, sizeof line,
                "the core has %zu MiB of the memory of threads, and leaves out %zu MiB: it lies in "
                "too many pieces",
                parts.bytes >> 20, parts.left_out >> 20);
  report(line);
}

void tell_launcher(int signal, bool once_gone) {
  if (fatal_hooks.tell_launcher != nullptr) fatal_hooks.tell_launcher(signal, once_gone);
}

// `signal` is about to leave a core.
void prepare_core(int signal) {
  include_in_core();
  tell_launcher(signal, true);
}

void handle(int signal, siginfo_t* info, void* context) {
  const struct sigaction& next = fatal_of(signal).previous;
  const bool has_next =
      (next.sa_flags & SA_SIGINFO) != 0 ? next.sa_sigaction != nullptr : next.sa_handler != SIG_DFL;
  if (!has_next) {
    report_signal(signal, *info);
    job_record::crashes(*info, context);
    die(signal, *info);
    return;
  }
  // It may end the process, with a core.
  if (os::writes_core()) include_in_core();
  if ((next.sa_flags & SA_SIGINFO) != 0) {
    next.sa_sigaction(signal, info, context);
  } else {
    next.sa_handler(signal);
  }
}

}  // namespace

void report_signal(int signal, const siginfo_t& info) {
  const char* what = fatal_of(signal).what;
  char line[128];
  if (has_address(signal, info)) {
    std::snprintf(line, sizeof line, "%s at address %p", what, info.si_addr);
  } else if (info.si_code == SI_USER || info.si_code == SI_QUEUE || info.si_code == SI_TKILL) {
    const bool own = info.si_pid == getpid();
    std::snprintf(line, sizeof line, own ? "%s (signal %d)" : "%s (signal %d), sent by process %d",
                  what, signal, static_cast<int>(info.si_pid));
  } else {
    std::snprintf(line, sizeof line, "%s (signal %d)", what, signal);
  }
  report(line);
}

void die(int signal, const siginfo_t& info) {
  if (die_with_core(signal, info)) return;
  tell_launcher(signal, false);
  os::end_by(signal, info);
}

bool die_with_core(int signal, const siginfo_t& info) {
  if (!os::writes_core()) return false;
  prepare_core(signal);
  os::end_by(signal, info);
  return true;
}

void leave_core() {
  static std::atomic<bool> entered = false;  // what is done here may fail too
  if (entered.exchange(true) || !os::writes_core()) return;
  prepare_core(SIGABRT);
  os::end_by(SIGABRT);
}

bool is_handler_of_mpi(const struct sigaction& action) {
  const void* code = (action.sa_flags & SA_SIGINFO) != 0
                         ? reinterpret_cast<const void*>(action.sa_sigaction)
                         : reinterpret_cast<const void*>(action.sa_handler);
  Dl_info info{};
  return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN && dladdr(code, &info) != 0 &&
         info.dli_fname != nullptr &&
         (std::strstr(info.dli_fname, "/libucs.so") != nullptr ||
          std::strstr(info.dli_fname, "/libopen-pal.so") != nullptr);
}

void forget_handler_of_mpi(struct sigaction& action) {
  if (std::getenv("UCX_HANDLE_ERRORS") != nullptr || std::getenv("OMPI_MCA_opal_signal") != nullptr)
    return;
  if (!is_handler_of_mpi(action)) return;
  action = {};
  action.sa_handler = SIG_DFL;
}

void install_crash_handlers() {
  for (Fatal& each : fatals) {
    if (each.signal == SIGSEGV || each.signal == SIGBUS) continue;
    ROAM_CHECK(sigaction(each.signal, nullptr, &each.previous) == 0, "sigaction(%d) failed",
               each.signal);
    if (each.previous.sa_handler == SIG_IGN) continue;
    forget_handler_of_mpi(each.previous);
    struct sigaction action {};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    ROAM_CHECK(sigaction(each.signal, &action, nullptr) == 0, "sigaction(%d) failed", each.signal);
  }
}

}  // namespace roam::threads
