#ifndef ROAM_BASE_CHECK_H_
#define ROAM_BASE_CHECK_H_

#include <cstddef>

#include "base/text.h"

namespace roam {

// Ends the whole job with one message, "roam: <where>: <message>", on stderr and a non-zero status.
// For broken contracts; expected failures are roam::Error. Allocates nothing and may be called in a
// signal handler.
[[noreturn, gnu::format(printf, 1, 2), gnu::cold]] void fatal(const char* format, ...);

// What fatal() asks about its surroundings; the layers above fill it in.
struct FatalHooks {
  // Writes e.g. "rank 2, thread 'solver'" into `buffer`.
  void (*describe)(char* buffer, std::size_t bytes) = nullptr;
  // Ends this process with a core, or returns if none is wanted.
  void (*leave_core)() = nullptr;
  // Has the job's launcher know that the job ends with `status`, which is not 0: at once, or when
  // this process is gone, so that it can leave a core. In a signal handler too.
  void (*tell_launcher)(int status, bool once_gone) = nullptr;
  // Ends the job; must not return. The default ends this process.
  void (*end_job)(int status) = nullptr;
};
extern FatalHooks fatal_hooks;

// Ends the job as fatal() does, once everything is said, without a core.
[[noreturn, gnu::cold]] void end_failed_job();

// Prints "roam: <where>: <message>" on stderr in one write.
void report(const char* message);

}  // namespace roam

// A condition of ours or of the caller's contract, checked in release builds too. The message gives
// the operands.
#define ROAM_CHECK(condition, ...)   \
  do {                               \
    if (!(condition)) [[unlikely]] { \
      ::roam::fatal("" __VA_ARGS__); \
    }                                \
  } while (false)

#endif  // ROAM_BASE_CHECK_H_
