#ifndef ROAM_MPI_DATATYPE_FAILURE_H_
#define ROAM_MPI_DATATYPE_FAILURE_H_

#include <string>
#include <utility>

#include "mpi/datatype/abi.h"

namespace roam::mpi {

// Why a call did nothing: an error class of MPI, and a sentence that names the value. Empty where
// nothing failed.
//
//   if (Failure f = make_contiguous(...)) return report(f.error_class, f.text);
struct [[nodiscard]] Failure {
  int error_class = MPI_SUCCESS;
  std::string text;

  Failure() = default;
  Failure(int error, std::string sentence) : error_class(error), text(std::move(sentence)) {}
  explicit operator bool() const { return error_class != MPI_SUCCESS; }
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_FAILURE_H_
