#ifndef ROAM_MPI_IMAGE_PROCESS_CALLS_H_
#define ROAM_MPI_IMAGE_PROCESS_CALLS_H_

#include <climits>

namespace roam::mpi {

// Has launcher_call() know functions of libc that are about the process, where a virtual rank is
// one for itself (the environment), or that it must not call (kernel threads, fork).
void add_process_calls();
void add_signal_calls();          // the same of handlers of signals
void add_descriptor_calls();      // of descriptors, and all of what follows that is indented
void add_own_descriptor_calls();  //   with those that are its own
void add_stream_calls();          //   of streams
void add_folder_calls();          //   of the working folder
void add_child_calls();           //   that start programs, after all others of these names
void add_process_number_calls();  //   that are given a process's number, after those as well
void add_system_calls();          //   of syscall, after all that it stands for
void add_library_calls();         // of dlopen
void add_trace_calls();           // of backtrace_symbols
void add_locale_calls();          // of locales
void add_walk_calls();            // of lists that are gone through (getpwent)
void add_key_calls();             // of keys of pthread_setspecific
void add_option_calls();          // of getopt
void add_state_calls();           // of random numbers, strtok, and all of the following
void add_answer_calls();          // of what answers with a place of the process
void add_zone_calls();            // of time zones
void add_error_calls();           // of messages of errors, and argp

// Says that memory behind the end of the process's data is refused.
void refuse_break();

// Says that the running virtual rank may not make a call, and what to do instead.
void report_refused(const char* call, const char* why);

// The process that a call of the running virtual rank means by a number, which may be its own
// (Image::process_number), or that below 0.
long real_number(long number);
// `path` as the kernel knows it, in `own`, if it goes through the running virtual rank's own folder
// of /proc or of its thread, by their number; else null.
const char* through_own_folder(const char* path, char (&own)[PATH_MAX]);

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_PROCESS_CALLS_H_
