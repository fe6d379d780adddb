#include "base/check.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/job_record.h"

namespace roam {

FatalHooks fatal_hooks;

void report(const char* message) {
  char where[160] = "";
  if (fatal_hooks.describe != nullptr) fatal_hooks.describe(where, sizeof where);
  char line[1600];
  int n = std::snprintf(line, sizeof line, "roam: %s%s%s\n", where, where[0] ? ": " : "", message);
  if (n >= static_cast<int>(sizeof line)) {
    n = sizeof line - 1;
    line[n - 1] = '\n';
  }
  // By the kernel's own: write() of a thread lets others run where the reader is slow.
  const long written = syscall(SYS_write, STDERR_FILENO, line, static_cast<std::size_t>(n));
  (void)written;  // there is nowhere left to complain
  job_record::note(message);
}

void fatal(const char* format, ...) {
  char message[1300];
  va_list args;
  va_start(args, format);
  std::vsnprintf(message, sizeof message, format, args);
  va_end(args);
  report(message);
  job_record::fails(1, message);
  if (fatal_hooks.leave_core != nullptr) fatal_hooks.leave_core();
  end_failed_job();
}

void end_failed_job() {
  if (fatal_hooks.end_job != nullptr) fatal_hooks.end_job(1);
  _exit(1);
}

}  // namespace roam
