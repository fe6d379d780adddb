#include "mpi/image/libc_variables.h"

#include <algorithm>
#include <array>

namespace roam::mpi {
namespace {

struct Names {
  std::size_t bytes;  // of the variable
  std::size_t count;
  std::array<std::string_view, 3> list;
};
constexpr Names kNames[] = {
    {8, 3, {"__environ", "environ", "_environ"}},
    {8, 1, {"optarg"}},
    {4, 1, {"optind"}},
    {4, 1, {"opterr"}},
    {4, 1, {"optopt"}},
    {8, 2, {"__progname_full", "program_invocation_name"}},
    {8, 2, {"__progname", "program_invocation_short_name"}},
    {8, 2, {"__timezone", "timezone"}},
    {4, 2, {"__daylight", "daylight"}},
    {16, 2, {"__tzname", "tzname"}},
    {4, 2, {"__signgam", "signgam"}},
    {4, 1, {"getdate_err"}},
    {4, 1, {"error_message_count"}},
    {4, 1, {"error_one_per_line"}},
    {8, 1, {"error_print_progname"}},
    {8, 1, {"argp_program_version"}},
    {8, 1, {"argp_program_version_hook"}},
    {8, 1, {"argp_program_bug_address"}},
    {4, 1, {"argp_err_exit_status"}},
    {8, 1, {"MPI_F_STATUS_IGNORE"}},
    {8, 1, {"MPI_F_STATUSES_IGNORE"}},
};
static_assert(std::size(kNames) == kLibcVariables);

// Variables of libc that are the process's for all of its virtual ranks, which read them only, or
// may store in them all alike.
constexpr std::string_view kOfAll[] = {
    "stdin",
    "stdout",
    "stderr",
    "_IO_2_1_stdin_",
    "_IO_2_1_stdout_",
    "_IO_2_1_stderr_",
    "__libc_single_threaded",
    "_r_debug",
    "_nl_msg_cat_cntr",
};

}  // namespace

bool is_variable_of_all(std::string_view name) {
  return std::find(std::begin(kOfAll), std::end(kOfAll), name) != std::end(kOfAll);
}

std::span<const std::string_view> names_of(LibcVariable variable) {
  const Names& names = kNames[static_cast<std::size_t>(variable)];
  return {names.list.data(), names.count};
}

std::size_t bytes_of(LibcVariable variable) {
  return kNames[static_cast<std::size_t>(variable)].bytes;
}

std::optional<LibcVariable> libc_variable(std::string_view name) {
  for (std::size_t i = 0; i < kLibcVariables; ++i) {
    const auto names = names_of(static_cast<LibcVariable>(i));
    if (std::find(names.begin(), names.end(), name) != names.end())
      return static_cast<LibcVariable>(i);
  }
  return {};
}

}  // namespace roam::mpi
