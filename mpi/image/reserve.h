#ifndef ROAM_MPI_IMAGE_RESERVE_H_
#define ROAM_MPI_IMAGE_RESERVE_H_

#include <cstddef>

namespace roam::mpi {

// Room right below the thread pointer, in the launcher's own thread-local block, where the code of
// programs expects theirs.
//
//   launcher's thread-locals | reserve ............ libraries' | program's |<- %fs
inline constexpr std::size_t kReserveBytes = 16 << 10;
inline constexpr std::size_t kReserveAlignment = 64;

// Its end, which is the thread pointer. Errors: Refusal: the launcher was linked so that it is not.
char* reserve_end();

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_RESERVE_H_
