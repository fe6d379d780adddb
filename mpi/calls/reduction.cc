#include "mpi/calls/reduction.h"

#include <algorithm>
#include <cstdint>

#include "base/text.h"

namespace roam::mpi {
namespace {

using Own = Reduction::Own;

template <class T, class Op>
void each(const void* from, void* into, std::size_t count) {
  const T* a = static_cast<const T*>(from);
  T* b = static_cast<T*>(into);
  for (std::size_t i = 0; i < count; ++i) b[i] = Op()(a[i], b[i]);
}
struct Largest {
  template <class T>
  T operator()(T a, T b) const {
    return std::max(a, b);
  }
};
struct Least {
  template <class T>
  T operator()(T a, T b) const {
    return std::min(a, b);
  }
};

template <class T>
Own arithmetic(MPI_Op op) {
  switch (op) {
    case MPI_SUM:
      return &each<T, std::plus<>>;
    case MPI_PROD:
      return &each<T, std::multiplies<>>;
    case MPI_MAX:
      return &each<T, Largest>;
    case MPI_MIN:
      return &each<T, Least>;
    default:
      return nullptr;
  }
}
template <class T>
Own integer(MPI_Op op) {
  switch (op) {
    case MPI_BAND:
      return &each<T, std::bit_and<>>;
    case MPI_BOR:
      return &each<T, std::bit_or<>>;
    case MPI_BXOR:
      return &each<T, std::bit_xor<>>;
    case MPI_LAND:
      return &each<T, std::logical_and<>>;
    case MPI_LOR:
      return &each<T, std::logical_or<>>;
    default:
      return arithmetic<T>(op);
  }
}
Own predefined(MPI_Op op, MPI_Datatype type) {
  switch (type) {
    case MPI_INT:
      return integer<int>(op);
    case MPI_LONG:
    case MPI_LONG_LONG:
    case MPI_INT64_T:
      return integer<std::int64_t>(op);
    case MPI_UNSIGNED_LONG:
    case MPI_UINT64_T:
      return integer<std::uint64_t>(op);
    case MPI_UNSIGNED:
      return integer<unsigned>(op);
    case MPI_FLOAT:
      return arithmetic<float>(op);
    case MPI_DOUBLE:
      return arithmetic<double>(op);
    default:
      return nullptr;
  }
}

}  // namespace

Reduction::Reduction(VirtualRank& me, MPI_Op handle, const Type& type) : type_(type.handle()) {
  if (const UserOp* user = me.ops.find(handle)) {
    user_ = user->function;
    commutes_ = user->commutes;
    return;
  }
  own_ = predefined(handle, type.handle());
  if (own_ == nullptr)
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
