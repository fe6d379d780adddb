#ifndef ROAM_BASE_OS_SIGNALS_H_
#define ROAM_BASE_OS_SIGNALS_H_

#include <csignal>
#include <cstddef>

namespace roam::os {

// Whether the kernel writes a core of this process if a signal ends it now: its limit (ulimit -c)
// leaves room for one, or cores go to a program, which gets them whatever the limit says.
//
// Context: anywhere, in a signal handler too.
bool writes_core();

// Has `signal` end the process, with the cause that `info` tells, as soon as it is not blocked:
// from its own handler, when that returns. The core then shows the place that was interrupted.
void end_by(int signal, const siginfo_t& info);
// The same at once, where nothing but the caller is the cause.
void end_by(int signal);

// Writes `line` to `fd` as soon as this process is gone: a process that is made for it waits for
// that. It holds what files this one has open. Where none can be made nothing is written. The line
// may have 256 bytes.
//
// Context: anywhere, in a signal handler too.
void write_when_gone(int fd, const char* line, std::size_t bytes);

}  // namespace roam::os

#endif  // ROAM_BASE_OS_SIGNALS_H_
