#ifndef ROAM_MPI_CALLS_CALL_ERROR_H_
#define ROAM_MPI_CALLS_CALL_ERROR_H_

#include <mpi.h>

#include <stdexcept>
#include <string>

namespace roam::mpi {

// Why a call of MPI did not do what it was asked: `error_class` is one of the standard's
// (MPI_ERR_...), the text names the value, what was allowed, and what to do. It goes to the error
// handler of the communicator.
struct CallError : std::runtime_error {
  CallError(int error_class, const std::string& what) : runtime_error(what), code(error_class) {}
  int code;
};
// The same when it has come to the call's frame, which tells it.
struct FailedCall {
  int code = MPI_SUCCESS;
  std::string why;
};

// CallError(MPI_ERR_ARG): a pointer to what a call reads or writes is null.
inline void check_pointer(const void* pointer) {
  if (pointer == nullptr) [[unlikely]]
    throw CallError(MPI_ERR_ARG, "a null pointer is given where something is read or written");
}
// For one that matters only where there is something behind it.
inline const void* if_any(MPI_Count count, const void* pointer) {
  static constexpr char kSomewhere = 0;
  return count > 0 ? pointer : &kSomewhere;
}

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_CALL_ERROR_H_
