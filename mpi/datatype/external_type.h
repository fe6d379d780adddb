#ifndef ROAM_MPI_DATATYPE_EXTERNAL_TYPE_H_
#define ROAM_MPI_DATATYPE_EXTERNAL_TYPE_H_

#include "mpi/datatype/datatype.h"
#include "mpi/datatype/failure.h"

namespace roam::mpi {

// The type of bytes that lie as those of `type` do in a file whose data is in external32 (MPI 3.1,
// 13.5.1): elements have the size that they have there, and displacements that count extents those
// of the file. Displacements in bytes are taken as they are. `type` itself, where all of its
// elements have the same size in memory.
//
// Errors: those of the constructors.
Failure make_external_type(const TypeRef& type, TypeRef* made);

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_EXTERNAL_TYPE_H_
