#ifndef ROAM_MPI_CALLS_FILE_ERROR_H_
#define ROAM_MPI_CALLS_FILE_ERROR_H_

#include <string>

namespace roam::mpi {

// The error class of an errno. Throws it as a CallError: "`what`: text of the error".
int file_error_class(int error);
[[noreturn]] void throw_file_error(int error, const std::string& what);

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_FILE_ERROR_H_
