#ifndef ROAM_MPI_IMAGE_REFUSAL_H_
#define ROAM_MPI_IMAGE_REFUSAL_H_

#include <stdexcept>
#include <string>

namespace roam::mpi {

// Why a program cannot run as threads: what() names the file, what is wrong with it, and the cure.
// Thrown before anything of the program has run.
class Refusal : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_REFUSAL_H_
