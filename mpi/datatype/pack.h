#ifndef ROAM_MPI_DATATYPE_PACK_H_
#define ROAM_MPI_DATATYPE_PACK_H_

#include "mpi/datatype/datatype.h"
#include "mpi/datatype/failure.h"

namespace roam::mpi {

// The packed stream of `count` of `type` is its bytes in their order, count * size of them, with
// nothing between. Any part of it can be packed or unpacked alone, so a message is cut anywhere.
//
// Units:  `from` and `bytes` count bytes of the stream.
// Errors: MPI_ERR_COUNT: count is negative, or count * size is no 64-bit number;
//         MPI_ERR_ARG: [from, from + bytes) is not in the stream, or the last of the types lies
//         beyond 64 bits; nothing was moved.
// Cost:   of a copy, and O(log n) of the pieces of one datatype for the place to begin.

Failure pack(const void* buffer, MPI_Count count, const Datatype& type, MPI_Count from,
             MPI_Count bytes, void* out);
Failure unpack(const void* in, MPI_Count from, MPI_Count bytes, void* buffer, MPI_Count count,
               const Datatype& type);

// count * size, the bytes of the whole stream; MPI_Pack_size. Errors: MPI_ERR_COUNT.
Failure packed_bytes(MPI_Count count, const Datatype& type, MPI_Count* bytes);

// What pack and unpack refuse.
Failure check_range(MPI_Count count, const Datatype& type, MPI_Count from, MPI_Count bytes);

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_PACK_H_
