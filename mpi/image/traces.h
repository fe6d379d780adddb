#ifndef ROAM_MPI_IMAGE_TRACES_H_
#define ROAM_MPI_IMAGE_TRACES_H_

#include <cstddef>

namespace roam::mpi {

class ElfFile;
class Image;

// Writes what lies at `address`, if that is in `image`: "solve (program+0x1189)", with names of C++
// as the source has them if `readable` (which allocates). False: it lies elsewhere. Does not throw.
bool describe_code(const Image& image, const void* address, bool readable, char* buffer,
                   std::size_t bytes);

// Has the end of this process by a signal or a broken contract tell through which functions of the
// running image it came there, and debuggers know where images are. Once a process, when the job
// has begun.
void trace_crashes(const ElfFile& program);

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_TRACES_H_
