// Messages of err, error and their kin: by variables of the virtual rank, whose program they end.

#include <argp.h>
#include <err.h>
#include <error.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "mpi/image/entry.h"
#include "mpi/image/image.h"
#include "mpi/image/libc_environment.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

template <class T>
T& own(LibcVariable v) {
  return Image::running()->variable<T>(v);
}

// While libc has the virtual rank's variables.
class WithOwnNames {
 public:
  WithOwnNames() {
    if (name == nullptr) {
      name = program_invocation_name;
      short_name = program_invocation_short_name;
    }
    program_invocation_name = own<char*>(LibcVariable::kProgramName);
    program_invocation_short_name = own<char*>(LibcVariable::kProgramShortName);
    error_print_progname = own<void (*)()>(LibcVariable::kErrorPrintName);
  }
  ~WithOwnNames() {
    program_invocation_name = name;
    program_invocation_short_name = short_name;
    error_print_progname = nullptr;
  }
  WithOwnNames(const WithOwnNames&) = delete;
  WithOwnNames& operator=(const WithOwnNames&) = delete;

 private:
  static inline char *name = nullptr, *short_name = nullptr;  // the process's
};

template <void (*kCall)(const char*, va_list)>
void warn_with(const char* format, va_list arguments) {
  const WithOwnNames names;
  kCall(format, arguments);
}
template <void (*kCall)(const char*, va_list)>
void warn_of(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  warn_with<kCall>(format, arguments);
  va_end(arguments);
}
template <void (*kCall)(const char*, va_list)>
[[noreturn]] void end_with(int status, const char* format, va_list arguments) {
  warn_with<kCall>(format, arguments);
  exit_program(status);
}
template <void (*kCall)(const char*, va_list)>
[[noreturn]] void end_of(int status, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  end_with<kCall>(status, format, arguments);
}

void say_error(int number, const char* file, unsigned line, const char* format, va_list arguments) {
  const int error = errno;
  char* text = nullptr;
  if (vasprintf(&text, format, arguments) < 0) text = nullptr;
  errno = error;
  const WithOwnNames names;
  const char* said = text != nullptr ? text : format;
  if (file != nullptr) {
    ::error_at_line(0, number, file, line, "%s", said);
  } else {
    ::error(0, number, "%s", said);
  }
  std::free(text);
  ++own<unsigned>(LibcVariable::kErrorCount);
}

void error_of(int status, int number, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  say_error(number, nullptr, 0, format, arguments);
  va_end(arguments);
  if (status != 0) exit_program(status);
}

// libc would keep the pointer to the name of the file.
void error_at(int status, int number, const char* file, unsigned line, const char* format, ...) {
  LibcState& state = Image::running()->libc_state();
  if (own<int>(LibcVariable::kErrorOnePerLine) != 0) {
    const std::string name = file != nullptr ? file : "";
    if (state.error_line == line && state.error_file == name) return;
    state.error_file = name;
    state.error_line = line;
  }
  va_list arguments;
  va_start(arguments, format);
  say_error(number, file, line, format, arguments);
  va_end(arguments);
  if (status != 0) exit_program(status);
}

// What argp says of the program, and the status with which it ends it.
void give_argp_variables() {
  argp_program_version = own<const char*>(LibcVariable::kArgpVersion);
  argp_program_version_hook =
      own<decltype(argp_program_version_hook)>(LibcVariable::kArgpVersionHook);
  argp_program_bug_address = own<const char*>(LibcVariable::kArgpBugAddress);
  argp_err_exit_status = own<int>(LibcVariable::kArgpExitStatus);
}
error_t parse_arguments(const argp* parser, int argc, char** argv, unsigned flags, int* index,
                        void* input) {
  give_argp_variables();
  return ::argp_parse(parser, argc, argv, flags, index, input);
}
void help_with_arguments(const argp* parser, FILE* stream, unsigned flags, char* name) {
  give_argp_variables();
  ::argp_help(parser, stream, flags, name);
}

void help_under_way(const argp_state* state, FILE* stream, unsigned flags) {
  give_argp_variables();
  ::argp_state_help(state, stream, flags);
}
void usage_under_way(const argp_state* state) {
  help_under_way(state, stderr, ARGP_HELP_STD_USAGE);
}
void error_under_way(const argp_state* state, const char* format, ...) {
  char text[4096];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  give_argp_variables();
  ::argp_error(state, "%s", text);
}

}  // namespace

void add_error_calls() {
  add_launcher_call("warn", &warn_of<vwarn>);
  add_launcher_call("warnx", &warn_of<vwarnx>);
  add_launcher_call("vwarn", &warn_with<vwarn>);
  add_launcher_call("vwarnx", &warn_with<vwarnx>);
  add_launcher_call("err", &end_of<vwarn>);
  add_launcher_call("errx", &end_of<vwarnx>);
  add_launcher_call("verr", &end_with<vwarn>);
  add_launcher_call("verrx", &end_with<vwarnx>);
  add_launcher_call("error", &error_of);
  add_launcher_call("error_at_line", &error_at);
  add_launcher_call("argp_parse", &parse_arguments);
  add_launcher_call("argp_help", &help_with_arguments);
  add_launcher_call("argp_state_help", &help_under_way);
  add_launcher_call("argp_usage", &usage_under_way);
  add_launcher_call("argp_error", &error_under_way);
}

}  // namespace roam::mpi
