// sigaction, signal and sigaltstack of the whole program: what it sets for SIGSEGV and SIGBUS
// stands beside ours (program_handlers.h). All other signals are libc's own.

#include <dlfcn.h>
#include <signal.h>

#include <cerrno>

#include "isomalloc/heap.h"
#include "threads/program_handlers.h"

namespace {

using Handler = void (*)(int);

template <class F>
F* next(const char* name) {
  roam::iso::HeapScope process;
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

Handler set_handler(int signal, Handler handler, int flags) {
  struct sigaction action {
  }, old{};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  return roam::threads::set_program_action(signal, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

}  // namespace

#define ROAM_EXPORT extern "C" __attribute__((visibility("default")))

ROAM_EXPORT int sigaction(int signal, const struct sigaction* action,
                          struct sigaction* old) noexcept {
  if (!roam::threads::handler_is_shared(signal))
    return roam::threads::kernel_sigaction(signal, action, old);
  return roam::threads::set_program_action(signal, action, old);
}

ROAM_EXPORT int sigaltstack(const stack_t* stack, stack_t* old) noexcept {
  return roam::threads::set_program_stack(stack, old);
}

// Each of the calls that set a handler only, with the flags that it implies.
#define ROAM_HANDLER_CALL(name, flags)                                                          \
  ROAM_EXPORT Handler name(int signal, Handler handler) noexcept {                              \
    static const auto real = next<Handler(int, Handler)>(#name);                                \
    if (!roam::threads::handler_is_shared(signal) || handler == SIG_ERR || handler == SIG_HOLD) \
      return real(signal, handler);                                                             \
    return set_handler(signal, handler, static_cast<int>(flags));                               \
  }
ROAM_HANDLER_CALL(signal, SA_RESTART)
ROAM_HANDLER_CALL(bsd_signal, SA_RESTART)
ROAM_HANDLER_CALL(ssignal, SA_RESTART)
ROAM_HANDLER_CALL(sysv_signal, SA_RESETHAND | SA_NODEFER)
ROAM_HANDLER_CALL(__sysv_signal, SA_RESETHAND | SA_NODEFER)
ROAM_HANDLER_CALL(sigset, 0)
