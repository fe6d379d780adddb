#ifndef ROAM_MPI_DATATYPE_OPERATION_H_
#define ROAM_MPI_DATATYPE_OPERATION_H_

#include "mpi/datatype/datatype.h"
#include "mpi/datatype/failure.h"

namespace roam::mpi {

// The predefined operations, MPI_MAX to MPI_NO_OP.

// Name of one; null if `op` is none of them.
const char* operation_name(MPI_Op op);
inline bool is_predefined_operation(MPI_Op op) { return operation_name(op) != nullptr; }

// True for MPI_REPLACE and MPI_NO_OP, which are for accumulate calls only.
inline bool is_for_accumulate(MPI_Op op) { return op == MPI_REPLACE || op == MPI_NO_OP; }

// MPI_Op_commutative of a predefined one.
inline bool is_commutative(MPI_Op op) { return !is_for_accumulate(op); }

// inout[i] = in[i] op inout[i], of `count` elements of `type`, which lie as in an array, aligned or
// not. The type is a predefined one, or one of Fortran by precision and range; an accumulate call
// takes the `unit` of its type, and for_each_unit() where these are.
//
// Allowed is what the standard allows (MPI 3.1, 5.9.2), and what MPICH does and programs know:
// characters are integers, and the logical operations take every integer.
// Errors: MPI_ERR_OP: the operation is none, or not for this type;
//         MPI_ERR_COUNT: the count is negative. Nothing was done.
Failure reduce(MPI_Op op, const void* in, void* inout, MPI_Count count, const Datatype& type);

// What reduce() refuses of an operation and a type.
Failure check_operation(MPI_Op op, const Datatype& type);

// What reduce() does to elements of a type: the same function in every process of a job. Null: it
// refuses them, or it is MPI_REPLACE or MPI_NO_OP.
using OperationLoop = void (*)(const void* in, void* inout, MPI_Count count);
OperationLoop operation_loop(MPI_Op op, const Datatype& type);

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_OPERATION_H_
