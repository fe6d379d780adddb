#ifndef ROAM_MPI_IMAGE_PROCESS_CALLS_H_
#define ROAM_MPI_IMAGE_PROCESS_CALLS_H_

#include <array>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace roam::mpi {

// Has launcher_call() know functions of libc that are about the process, where a virtual rank is
// one for itself (the environment), or that it must not call (kernel threads, fork).
void add_process_calls();
void add_signal_calls();          // the same of handlers of signals, and of what follows
void add_alarm_calls();           //   of alarms
void add_descriptor_calls();      // of descriptors, and all of what follows that is indented
void add_own_descriptor_calls();  //   with those that are its own
void add_stream_calls();          //   of streams
void add_input_calls();           //   that read from streams
void add_folder_calls();          //   of the working folder
void add_child_calls();           //   that start programs, after all others of these names
void add_process_number_calls();  //   that are given a process's number, after those as well
void add_own_path_calls();        //   that are given a path below /proc, after those as well
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

// As the kernel has it of sigaction.
struct KernelAction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  std::uint64_t mask;
};
// sigaction by number.
long set_kernel_action(int signal, const KernelAction* action, KernelAction* old,
                       std::size_t mask_bytes);

// Says that memory behind the end of the process's data is refused.
void refuse_break();

// Says that the running virtual rank may not make a call, and what to do instead.
void report_refused(const char* call, const char* why);

// The process that a call of the running virtual rank means by a number, which may be its own
// (Image::process_number), or that below 0.
long real_number(long number);

// What a call does with a path that ends in a link: goes on to what that is, or stays there, always
// or if a flag of its third or fourth argument says so; or reads it to where its next argument is.
enum class PathUse { kFollows, kStays, kHasFlags3, kHasFlags4, kReads };

// The arguments of a call of the running virtual rank, of which one, counted from 1, is a path:
// one that goes through its own folder of /proc is as the kernel knows it. If `answer` has a value
// the call is not made, and gives that.
class OwnPath {
 public:
  OwnPath(int argument, PathUse use, const std::array<long, 6>& given);
  OwnPath(const OwnPath&) = delete;
  OwnPath& operator=(const OwnPath&) = delete;

  std::array<long, 6> arguments;
  std::optional<long> answer;

 private:
  char room_[PATH_MAX];
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_PROCESS_CALLS_H_
