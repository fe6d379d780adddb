#ifndef ROAM_MPI_DATATYPE_ABI_H_
#define ROAM_MPI_DATATYPE_ABI_H_

// MPICH's types and constants, which are the ABI of the programs; none of its functions is called
// in this folder but by tests.
#define MPICH_SKIP_MPICXX 1  // the C++ bindings that MPI 3.0 removed
#include <mpi.h>

// The markers of MPI-1, which a later header may leave out, and old programs still hold.
#ifndef MPI_LB
#define MPI_LB ((MPI_Datatype)0x4c000010)
#define MPI_UB ((MPI_Datatype)0x4c000011)
#endif

#endif  // ROAM_MPI_DATATYPE_ABI_H_
