#ifndef ROAM_MPI_DATATYPE_ELEMENTS_H_
#define ROAM_MPI_DATATYPE_ELEMENTS_H_

#include "mpi/datatype/datatype.h"

namespace roam::mpi {

// What MPI_Get_count says of a message of `bytes` received as `type`: how many of the type it is,
// or MPI_UNDEFINED if it is no whole number of them. Callers with an int say MPI_UNDEFINED too if
// it has no room for the number.
MPI_Count get_count(MPI_Count bytes, const Datatype& type);

// What MPI_Get_elements says: how many basic elements, of the type over and over again; or
// MPI_UNDEFINED if the message ends within one. A pair is two.
MPI_Count get_elements(MPI_Count bytes, const Datatype& type);

// The bytes of the first `elements` basic elements, for MPI_Status_set_elements.
// REQUIRES: elements >= 0, and the type has some or elements is 0; the bytes are less than 2^63.
MPI_Count bytes_of_elements(MPI_Count elements, const Datatype& type);

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_ELEMENTS_H_
