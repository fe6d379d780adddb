#include "mpi/calls/file_error.h"

#include <mpi.h>

#include <cerrno>
#include <cstring>

#include "mpi/calls/call_error.h"

namespace roam::mpi {

int file_error_class(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return MPI_ERR_ACCESS;
    case ENOENT:
      return MPI_ERR_NO_SUCH_FILE;
    case EEXIST:
      return MPI_ERR_FILE_EXISTS;
    case ENOSPC:
      return MPI_ERR_NO_SPACE;
    case EDQUOT:
      return MPI_ERR_QUOTA;
    case EROFS:
      return MPI_ERR_READ_ONLY;
    case ENAMETOOLONG:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ESPIPE:
    case ENXIO:
      return MPI_ERR_BAD_FILE;
    case ETXTBSY:
    case EBUSY:
      return MPI_ERR_FILE_IN_USE;
    case ENOMEM:
      return MPI_ERR_NO_MEM;
    default:
      return MPI_ERR_IO;
  }
}

void throw_file_error(int error, const std::string& what) {
  throw CallError(file_error_class(error), what + ": " + std::strerror(error));
}

}  // namespace roam::mpi
