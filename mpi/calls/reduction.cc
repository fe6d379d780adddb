#include "mpi/calls/reduction.h"

#include "base/text.h"

namespace roam::mpi {
namespace {

template <class T, class Op>
void each(const void* from, void* into, std::size_t count) {
  const T* a = static_cast<const T*>(from);
  T* b = static_cast<T*>(into);
  for (std::size_t i = 0; i < count; ++i) b[i] = Op()(a[i], b[i]);
}

}  // namespace

Reduction::Reduction(VirtualRank& me, MPI_Op handle, const Type& type) : type_(type.handle()) {
  if (const UserOp* user = me.ops.find(handle)) {
    user_ = user->function;
    commutes_ = user->commutes;
    return;
  }
  static_cast<void>(each<int, std::plus<>>);
  throw Failure(MPI_ERR_OP, text("0x%08x is no operation", static_cast<unsigned>(handle)));
}

void Reduction::combine(const void* from, void* into, MPI_Count count) const {
  if (own_ != nullptr) {
    own_(from, into, static_cast<std::size_t>(count));
    return;
  }
  int n = static_cast<int>(count);
  MPI_Datatype type = type_;
  user_(const_cast<void*>(from), into, &n, &type);
}

}  // namespace roam::mpi
