#ifndef ROAM_THREADS_CRASH_H_
#define ROAM_THREADS_CRASH_H_

#include <csignal>

// The end of a process by a signal, so that it can be looked at: a core has what lives in the
// arena, with the stacks of suspended threads and what tools/gdb/roam.py needs to find them, and
// the signal's own cause. The job's launcher is told, since not every one takes a signal for a
// failure (runtime/job/launcher.h). All may be called in a signal handler.
namespace roam::threads {

// From now on the signals that end a process with a core, but SIGSEGV and SIGBUS (threads/fault.h),
// get one line that names the thread, and end it as ever. Those that are ignored stay so. Handlers
// that were there before, MPI's excepted, are called in place of the line.
void install_crash_handlers();

// Prints the line: which signal, at what address, or who sent it.
void report_signal(int signal, const siginfo_t& info);

// For handlers, which return then: the process ends by `signal`, at the place and with the cause
// that it had. die_with_core does nothing and returns false where no core is wanted.
void die(int signal, const siginfo_t& info);
bool die_with_core(int signal, const siginfo_t& info);

// Ends the process by SIGABRT where a core is wanted; else returns. For FatalHooks::leave_core.
void leave_core();

// UCX, below MPICH, puts in a handler of its own as it is loaded, and Open MPI does as it starts.
// Both print the stack; UCX's ends the process by a signal of its own, so that a core has not the
// fault's address. Whether `action` is such a one.
bool is_handler_of_mpi(const struct sigaction& action);
// Makes it the default, unless UCX_HANDLE_ERRORS or OMPI_MCA_opal_signal in the environment asks
// for it.
void forget_handler_of_mpi(struct sigaction& action);

}  // namespace roam::threads

#endif  // ROAM_THREADS_CRASH_H_
