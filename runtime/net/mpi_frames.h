#ifndef ROAM_RUNTIME_NET_MPI_FRAMES_H_
#define ROAM_RUNTIME_NET_MPI_FRAMES_H_

namespace roam::runtime {

// Whether a frame of MPI's library is on the stack of the calling kernel thread above the call that
// returns to `caller`, and none of the program's own file before it: MPI calls libraries, which
// make kernel threads for it. Where MPI's library is a part of the program's file: false.
//
// What a library of the program does in a function that MPI calls back is taken for MPI's.
bool called_by_mpi(const void* caller);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_NET_MPI_FRAMES_H_
