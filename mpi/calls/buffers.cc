#include "mpi/calls/buffers.h"

namespace roam::mpi {

Bytes outgoing(Schedule* s, const void* data, MPI_Count count, const Type& type) {
  const std::size_t bytes = type.bytes(count);
  type.check_buffer(data, count);
  if (char* row = type.readable_in_a_row(data, count)) return {row, bytes};
  char* packed = s->scratch(bytes);
  s->at_begin([=] { type.pack(data, count, packed); });
  return {packed, bytes};
}

Bytes incoming(Schedule* s, void* data, MPI_Count count, const Type& type) {
  const std::size_t bytes = type.bytes(count);
  type.check_buffer(data, count);
  if (char* row = type.writable_in_a_row(data, count)) return {row, bytes};
  char* packed = s->scratch(bytes);
  s->at_end([=] { type.unpack(packed, s->came(packed, bytes), data, count); });
  return {packed, bytes};
}

Parts even_parts(Schedule* s, Way way, int n, const void* data, MPI_Count count, const Type& type,
                 LeftOut left_out) {
  return parts_at(
      s, way, n, data, [=](int) { return count; }, [&](int i) { return i * count * type.extent(); },
      [&](int) -> const Type& { return type; }, left_out, false);
}

}  // namespace roam::mpi
