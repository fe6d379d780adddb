// Calls about what a kernel thread has for whoever runs on it: the signal mask, and the exceptions
// of floating point. A thread that makes them has its own from then on (kernel_state.h).

#include <dlfcn.h>
#include <fenv.h>
#include <signal.h>

#include <cerrno>
#include <cstdint>

#include "isomalloc/heap.h"
#include "threads/kernel_state.h"

namespace {

using roam::threads::KernelState;

template <class F>
F* next(const char* name) {
  roam::iso::HeapScope process;
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

// The kernel's mask is the first word of libc's, which writes no more of it.
int set_mask(int how, const sigset_t* set, sigset_t* old) {
  return KernelState::set_signal_mask(how, reinterpret_cast<const std::uint64_t*>(set),
                                      reinterpret_cast<std::uint64_t*>(old));
}

}  // namespace

#define ROAM_EXPORT extern "C" __attribute__((visibility("default")))

ROAM_EXPORT int pthread_sigmask(int how, const sigset_t* set, sigset_t* old) noexcept {
  return set_mask(how, set, old);
}

ROAM_EXPORT int sigprocmask(int how, const sigset_t* set, sigset_t* old) noexcept {
  const int error = set_mask(how, set, old);
  if (error == 0) return 0;
  errno = error;
  return -1;
}

#define ROAM_FLOAT_CALL(name, traps, parameters, arguments) \
  ROAM_EXPORT int name parameters noexcept {                \
    static const auto real = next<int parameters>(#name);   \
    KernelState::watch_x87(traps);                          \
    return real arguments;                                  \
  }
ROAM_FLOAT_CALL(feclearexcept, false, (int which), (which))
ROAM_FLOAT_CALL(feraiseexcept, false, (int which), (which))
ROAM_FLOAT_CALL(fetestexcept, false, (int which), (which))
ROAM_FLOAT_CALL(fegetexceptflag, false, (fexcept_t * flags, int which), (flags, which))
ROAM_FLOAT_CALL(fesetexceptflag, false, (const fexcept_t* flags, int which), (flags, which))
ROAM_FLOAT_CALL(fegetenv, false, (fenv_t * all), (all))
ROAM_FLOAT_CALL(feholdexcept, false, (fenv_t * all), (all))
ROAM_FLOAT_CALL(fesetenv, true, (const fenv_t* all), (all))
ROAM_FLOAT_CALL(feupdateenv, false, (const fenv_t* all), (all))
ROAM_FLOAT_CALL(feenableexcept, true, (int which), (which))
ROAM_FLOAT_CALL(fedisableexcept, false, (int which), (which))
