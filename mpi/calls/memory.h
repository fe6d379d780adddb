#ifndef ROAM_MPI_CALLS_MEMORY_H_
#define ROAM_MPI_CALLS_MEMORY_H_

#include <mpi.h>

#include <cstddef>

#include "mpi/calls/info.h"

namespace roam::mpi {

// The key of an info by which programs say how memory is to be aligned, in bytes.
inline constexpr char kAlignmentKey[] = "mpi_minimum_memory_alignment";

// What is asked for by that key; 0: nothing, or no power of two, and then it is as malloc has it.
std::size_t alignment_in(const Info& info);

// Memory of the virtual rank's for std::free, aligned as the info asks for; of 0 bytes too. Errors:
// CallError(MPI_ERR_NO_MEM).
void* memory_for(MPI_Aint bytes, const Info& info);

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_MEMORY_H_
