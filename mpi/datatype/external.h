#ifndef ROAM_MPI_DATATYPE_EXTERNAL_H_
#define ROAM_MPI_DATATYPE_EXTERNAL_H_

#include "mpi/datatype/datatype.h"
#include "mpi/datatype/failure.h"

namespace roam::mpi {

// MPI_Pack_external and its kin: the data representation "external32" of MPI 3.1, 13.5.2. All is
// big endian; MPI_LONG has 4 bytes and MPI_WCHAR 2, of larger ones the lower are taken; long double
// and REAL*16 are IEEE quadruple precision. A pair is its two elements. What MPICH has on top of
// the standard (MPIX_C_FLOAT16) keeps its size.
//
// Errors: MPI_ERR_UNSUPPORTED_DATAREP: another representation;
//         MPI_ERR_COUNT: as of pack();
//         MPI_ERR_ARG: *position is not in the packed bytes;
//         MPI_ERR_TRUNCATE: they have no room for, or do not hold, all of the data. Nothing moved.

Failure external_bytes(const char* representation, MPI_Count count, const Datatype& type,
                       MPI_Count* bytes);

// Appends at *position of `out`, which has `out_bytes`, and moves it behind.
Failure pack_external(const char* representation, const void* buffer, MPI_Count count,
                      const Datatype& type, void* out, MPI_Count out_bytes, MPI_Count* position);
Failure unpack_external(const char* representation, const void* in, MPI_Count in_bytes,
                        MPI_Count* position, void* buffer, MPI_Count count, const Datatype& type);

// Unpacks the whole elements of external32 that `in` begins with, of data of which the rest is not
// there. `*bytes` of the packed stream (pack.h) are in the buffer then. Errors: those of pack().
Failure unpack_external_front(const void* in, MPI_Count in_bytes, void* buffer, MPI_Count count,
                              const Datatype& type, MPI_Count* bytes);

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_EXTERNAL_H_
