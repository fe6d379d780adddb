#ifndef ROAM_BASE_OS_SIGNALS_H_
#define ROAM_BASE_OS_SIGNALS_H_

#include <csignal>

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

}  // namespace roam::os

#endif  // ROAM_BASE_OS_SIGNALS_H_
