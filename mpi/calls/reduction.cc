#include "mpi/calls/reduction.h"

#include <algorithm>

#include "base/text.h"
#include "mpi/calls/call_error.h"
#include "mpi/calls/virtual_rank.h"

namespace roam::mpi {

Reduction::Reduction(VirtualRank& me, MPI_Op handle, const Type& type) : type_(type) {
  if (const UserOp* user = me.ops.find(handle)) {
    user_ = *user;
    if (me.types.find(type.handle()) != nullptr) number_ = me.hold_type(type.handle());
    return;
  }
  loop_ = operation_loop(handle, *type);
  if (loop_ != nullptr) return;
  throw_failure(check_operation(handle, *type));
  if (is_for_accumulate(handle))
    throw CallError(MPI_ERR_OP, "MPI_REPLACE and MPI_NO_OP are for one-sided communication only");
}

void Reduction::combine(const void* from, void* into, MPI_Count count) const {
  if (own_ != nullptr) {
    own_(from, into, static_cast<std::size_t>(count));
    return;
  }
  if (loop_ != nullptr) return loop_(from, into, count);
  char* const origin = type_.buffer_in(static_cast<char*>(const_cast<void*>(from)), count);
  char* const into_origin = type_.buffer_in(static_cast<char*>(into), count);
  const auto call = [&](MPI_Aint at, auto function, auto n) {
    MPI_Datatype handle = type_.handle();
    function(origin + at, into_origin + at, &n, &handle);
  };
  if (user_.long_function != nullptr) return call(0, user_.long_function, count);
  constexpr MPI_Count kMost = 1 << 30;
  for (MPI_Count begin = 0; begin < count; begin += kMost) {
    const auto n = static_cast<int>(std::min(kMost, count - begin));
    const MPI_Aint at = begin * type_.extent();
    if (user_.proxy == nullptr) {
      call(at, user_.function, n);
    } else {
      user_.proxy(origin + at, into_origin + at, n, type_.handle(), user_.function);
    }
  }
}

char* Reduction::room_for(Schedule* s, std::size_t bytes) const {
  if (own_ != nullptr || loop_ != nullptr || bytes == 0) return s->scratch(bytes);
  const Bounds& b = type_->bounds;
  const MPI_Aint before = b.true_lb - std::min({b.lb, b.ub, b.true_lb});
  const MPI_Aint after = std::max({b.lb, b.ub, b.true_ub}) - b.true_ub;
  return s->scratch(bytes + static_cast<std::size_t>(before + after)) + before;
}

}  // namespace roam::mpi
