#ifndef ROAM_MPI_IMAGE_SAME_FILES_H_
#define ROAM_MPI_IMAGE_SAME_FILES_H_

#include <string>

#include "mpi/image/layout.h"

namespace roam::mpi {

// Why the ranks of the job must not run one program: a file of it, or of a private library, is not
// the same on all of them. Empty: they may. `here` is where each process keeps its layout.
// Context: a thread of Roam; it suspends.
std::string files_that_differ(const Layout* const& here);

// Has each checkpoint of the job say how many virtual ranks it has (0: as many as ranks), and of
// which files they and what this process has loaded for them are; and a job that goes on from one
// end with a message if its own differ. Context: plain code, once, before run().
void check_restarts(const Layout& layout, int virtual_ranks);

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_SAME_FILES_H_
