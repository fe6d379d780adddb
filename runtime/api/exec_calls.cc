// exec of a rank. It would take the process out of the job, with all threads of the rank, and
// nobody would hear of it: refused while others live. A child of fork or vfork execs as ever.

#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdio>

#include "base/check.h"
#include "runtime/job/exits.h"
#include "runtime/job/job.h"
#include "threads/real_call.h"
#include "threads/scheduler.h"

namespace {

using roam::threads::Real;

using Arguments = char* const*;

// Looked up early, for calls in children of vfork and in handlers; earlier still if the program
// starts itself again before main (base/os/layout.h).
constinit Real<int(const char*, Arguments, Arguments)> real_execve("execve", nullptr);
constinit Real<int(const char*, Arguments, Arguments)> real_execvpe("execvpe", nullptr);
constinit Real<int(int, Arguments, Arguments)> real_fexecve("fexecve", nullptr);
constinit Real<int(int, const char*, Arguments, Arguments, int)> real_execveat("execveat", nullptr);

[[gnu::constructor]] void find_early() {
  real_execve.prepare();
  real_execvpe.prepare();
  real_fexecve.prepare();
  real_execveat.prepare();
}

// Allocates nothing. A job of one rank and one thread may go on as another program.
bool refused(const char* call, const char* what) {
  using roam::threads::scheduler;
  if (!roam::runtime::ends_the_job()) return false;
  if (roam::threads::on_rank_thread && roam::runtime::the_job().ranks() == 1 &&
      scheduler().slots().live_count() <= 1)
    return false;
  char line[400];
  std::snprintf(line, sizeof line,
                "%s(\"%.200s\") would take this rank out of the job, with all its threads: nothing "
                "was done. Start the program with posix_spawn or system, or fork first",
                call, what);
  roam::report(line);
  errno = EPERM;
  return true;
}

// What an execl was given from `first` on, in an array on the caller's stack.
#define ROAM_COLLECT(first, list, arguments)                                                   \
  std::size_t count = 1;                                                                       \
  {                                                                                            \
    va_list counted;                                                                           \
    va_copy(counted, list);                                                                    \
    for (const char* a = first; a != nullptr; a = va_arg(counted, const char*)) ++count;       \
    va_end(counted);                                                                           \
  }                                                                                            \
  const char** const arguments =                                                               \
      static_cast<const char**>(__builtin_alloca(count * sizeof(const char*)));                \
  {                                                                                            \
    const char* a = first;                                                                     \
    for (std::size_t i = 0; (arguments[i] = a) != nullptr; ++i) a = va_arg(list, const char*); \
  }

Arguments as_array(const char** arguments) { return const_cast<Arguments>(arguments); }

}  // namespace

#define ROAM_EXPORT extern "C" __attribute__((visibility("default")))

ROAM_EXPORT int execve(const char* path, Arguments arguments, Arguments environment) noexcept {
  return refused("execve", path) ? -1 : real_execve(path, arguments, environment);
}
ROAM_EXPORT int execv(const char* path, Arguments arguments) noexcept {
  return refused("execv", path) ? -1 : real_execve(path, arguments, environ);
}
ROAM_EXPORT int execvpe(const char* file, Arguments arguments, Arguments environment) noexcept {
  return refused("execvpe", file) ? -1 : real_execvpe(file, arguments, environment);
}
ROAM_EXPORT int execvp(const char* file, Arguments arguments) noexcept {
  return refused("execvp", file) ? -1 : real_execvpe(file, arguments, environ);
}
ROAM_EXPORT int fexecve(int fd, Arguments arguments, Arguments environment) noexcept {
  return refused("fexecve", "an open file") ? -1 : real_fexecve(fd, arguments, environment);
}
ROAM_EXPORT int execveat(int folder, const char* path, Arguments arguments, Arguments environment,
                         int flags) noexcept {
  return refused("execveat", path) ? -1
                                   : real_execveat(folder, path, arguments, environment, flags);
}

ROAM_EXPORT int execl(const char* path, const char* first, ...) noexcept {
  if (refused("execl", path)) return -1;
  va_list list;
  va_start(list, first);
  ROAM_COLLECT(first, list, arguments)
  va_end(list);
  return real_execve(path, as_array(arguments), environ);
}
ROAM_EXPORT int execlp(const char* file, const char* first, ...) noexcept {
  if (refused("execlp", file)) return -1;
  va_list list;
  va_start(list, first);
  ROAM_COLLECT(first, list, arguments)
  va_end(list);
  return real_execvpe(file, as_array(arguments), environ);
}
ROAM_EXPORT int execle(const char* path, const char* first, ...) noexcept {
  if (refused("execle", path)) return -1;
  va_list list;
  va_start(list, first);
  ROAM_COLLECT(first, list, arguments)
  const Arguments environment = va_arg(list, Arguments);
  va_end(list);
  return real_execve(path, as_array(arguments), environment);
}
