#ifndef ROAM_MPI_IMAGE_LIBC_VARIABLES_H_
#define ROAM_MPI_IMAGE_LIBC_VARIABLES_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace roam::mpi {

// The variables of libc, and of MPICH, that each virtual rank has for itself. Where the program has
// a copy of one, as programs do that are compiled without -fPIC, that is the variable, for its
// libraries too; else it lies in the image.
enum class LibcVariable : std::size_t {
  kEnvironment,
  kOptionArgument,
  kOptionIndex,
  kOptionPrint,
  kOptionWrong,
  kProgramName,
  kProgramShortName,
  kTimezone,
  kDaylight,
  kZoneNames,
  kGammaSign,
  kDateError,
  kErrorCount,
  kErrorOnePerLine,
  kErrorPrintName,
  kArgpVersion,
  kArgpVersionHook,
  kArgpBugAddress,
  kArgpExitStatus,
  // Addresses of Fortran's constants, which its library stores here when it begins.
  kFortranStatusIgnore,
  kFortranStatusesIgnore,
};
inline constexpr std::size_t kLibcVariables = 21;
inline constexpr std::size_t kLibcVariableBytes = 16;  // at most, each

// Its names; the first is the one by which libc itself goes, so who defines that means libc's.
std::span<const std::string_view> names_of(LibcVariable variable);
// What libc stores there: at most kLibcVariableBytes.
std::size_t bytes_of(LibcVariable variable);
// Whether virtual ranks may have that one of libc in common.
bool is_variable_of_all(std::string_view name);
// Nothing: no variable of these has that name.
std::optional<LibcVariable> libc_variable(std::string_view name);

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_LIBC_VARIABLES_H_
