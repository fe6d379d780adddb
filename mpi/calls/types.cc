#include "mpi/calls/types.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/text.h"
#include "mpi/calls/failure.h"

namespace roam::mpi {
namespace {

// MPICH's handles of predefined types have their bytes in bits 8 to 15.
constexpr std::uint32_t kPredefined = 0x4c000000, kPredefinedMask = 0xffff0000;

}  // namespace

Type::Type(MPI_Datatype handle) : handle_(handle) {
  const auto bits = static_cast<std::uint32_t>(handle);
  if ((bits & kPredefinedMask) != kPredefined) {
    throw Failure(MPI_ERR_TYPE, text("0x%08x is no predefined datatype; derived ones are not here "
                                     "yet",
                                     bits));
  }
  size_ = bits >> 8 & 0xff;
}

std::size_t bytes_of(const Type& type, MPI_Count count) {
  if (count < 0) {
    throw Failure(MPI_ERR_COUNT, text("the count is %lld; from 0 on is allowed",
                                      static_cast<long long>(count)));
  }
  return type.size() * static_cast<std::size_t>(count);
}

void copy_elements(const void* from, MPI_Count from_count, const Type& from_type, void* to,
                   MPI_Count to_count, const Type& to_type) {
  const std::size_t bytes = bytes_of(from_type, from_count), room = bytes_of(to_type, to_count);
  if (bytes > room) {
    throw Failure(MPI_ERR_TRUNCATE,
                  text("%zu bytes were sent, and there is room for %zu", bytes, room));
  }
  if (bytes != 0) std::memmove(to, from, bytes);
}

}  // namespace roam::mpi
