#include "mpi/calls/reduction.h"

#include "base/text.h"
#include "mpi/calls/call_error.h"
#include "mpi/calls/virtual_rank.h"
#include "mpi/datatype/operation.h"

namespace roam::mpi {

Reduction::Reduction(VirtualRank& me, MPI_Op handle, const Type& type) : type_(type) {
  if (const UserOp* user = me.ops.find(handle)) {
    user_ = user->function;
    commutes_ = user->commutes;
    return;
  }
  throw_failure(check_operation(handle, *type));
  if (is_for_accumulate(handle))
    throw CallError(MPI_ERR_OP, "MPI_REPLACE and MPI_NO_OP are for one-sided communication only");
  operation_ = handle;
}

void Reduction::combine(const void* from, void* into, MPI_Count count) const {
  if (own_ != nullptr) {
    own_(from, into, static_cast<std::size_t>(count));
    return;
  }
  if (user_ == nullptr) return throw_failure(reduce(operation_, from, into, count, *type_));
  int n = static_cast<int>(count);
  MPI_Datatype handle = type_.handle();
  user_(type_.buffer_in(static_cast<char*>(const_cast<void*>(from))),
        type_.buffer_in(static_cast<char*>(into)), &n, &handle);
}

}  // namespace roam::mpi
