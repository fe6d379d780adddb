#ifndef ROAM_MPI_CALLS_SHARED_POINTER_H_
#define ROAM_MPI_CALLS_SHARED_POINTER_H_

#include "mpi/calls/file.h"

// The file pointer that all who opened a file have in common. It is in a hidden file beside it,
// made when the pointer is first moved and removed when the file is closed: so nobody has to answer
// for it, whatever others compute. Nothing here suspends.
namespace roam::mpi::shared_pointer {

// Adds `elementary_types`, and returns what it was before. CallError.
MPI_Offset move(File* file, MPI_Offset elementary_types);
MPI_Offset get(File* file);
void set(File* file, MPI_Offset position);
// The hidden file, for the calls of open_files.h.
FileName name_of(const FileName& file);

}  // namespace roam::mpi::shared_pointer

#endif  // ROAM_MPI_CALLS_SHARED_POINTER_H_
