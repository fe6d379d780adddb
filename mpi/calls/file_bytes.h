#ifndef ROAM_MPI_CALLS_FILE_BYTES_H_
#define ROAM_MPI_CALLS_FILE_BYTES_H_

#include <mpi.h>

#include <cstddef>
#include <string>

// Bytes of a file at a place, as many as are asked for: the kernel moves at most 0x7ffff000 at a
// time. Nothing here suspends, so virtual ranks of one process never meet in it.
namespace roam::mpi {

// How many there were: less only at the end of the file. CallError(MPI_ERR_...). Memory may be
// another member's, as that of shared windows is.
std::size_t read_bytes(int descriptor, MPI_Offset at, char* to, std::size_t bytes,
                       const std::string& path);
void write_bytes(int descriptor, MPI_Offset at, const char* from, std::size_t bytes,
                 const std::string& path);

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_FILE_BYTES_H_
