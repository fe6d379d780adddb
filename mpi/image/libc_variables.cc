#include "mpi/image/libc_variables.h"

#include <algorithm>
#include <array>

namespace roam::mpi {
namespace {

struct Names {
  std::size_t count;
  std::array<std::string_view, 3> list;
};
constexpr Names kNames[] = {
    {3, {"__environ", "environ", "_environ"}},
    {1, {"optarg"}},
    {1, {"optind"}},
    {1, {"opterr"}},
    {1, {"optopt"}},
    {2, {"__progname_full", "program_invocation_name"}},
    {2, {"__progname", "program_invocation_short_name"}},
    {2, {"__timezone", "timezone"}},
    {2, {"__daylight", "daylight"}},
    {2, {"__tzname", "tzname"}},
    {2, {"__signgam", "signgam"}},
    {1, {"getdate_err"}},
    {1, {"error_message_count"}},
    {1, {"error_one_per_line"}},
    {1, {"error_print_progname"}},
    {1, {"argp_program_version"}},
    {1, {"argp_program_version_hook"}},
    {1, {"argp_program_bug_address"}},
    {1, {"argp_err_exit_status"}},
    {1, {"MPI_F_STATUS_IGNORE"}},
    {1, {"MPI_F_STATUSES_IGNORE"}},
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

std::optional<LibcVariable> libc_variable(std::string_view name) {
  for (std::size_t i = 0; i < kLibcVariables; ++i) {
    const auto names = names_of(static_cast<LibcVariable>(i));
    if (std::find(names.begin(), names.end(), name) != names.end())
      return static_cast<LibcVariable>(i);
  }
  return {};
}

}  // namespace roam::mpi
