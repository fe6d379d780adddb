#ifndef ROAM_MPI_CALLS_BUFFERS_H_
#define ROAM_MPI_CALLS_BUFFERS_H_

#include <algorithm>
#include <cstddef>
#include <vector>

#include "mpi/calls/call_error.h"
#include "mpi/calls/schedule.h"
#include "mpi/calls/types.h"

// The buffers of collectives as bytes in a row: the program's own memory where it lies so, else
// memory of the schedule.
namespace roam::mpi {

struct Bytes {
  char* begin = nullptr;
  std::size_t count = 0;
};

// What is sent, as it is now.
Bytes outgoing(Schedule* s, const void* data, MPI_Count count, const Type& type);
// Where something is received; what had to go elsewhere is put in its place at the schedule's end.
Bytes incoming(Schedule* s, void* data, MPI_Count count, const Type& type);

// Parts of a buffer, one a member.
using Parts = std::vector<Bytes>;
enum class Way { kOut, kIn };
// Parts that are empty, whatever their counts: nothing comes for them, so that their memory is not
// touched.
class LeftOut {
 public:
  // None; one, or none if it is -1; those of peers that are MPI_PROC_NULL.
  LeftOut() = default;
  LeftOut(int one) : one_(one) {}                             // NOLINT
  LeftOut(const std::vector<int>& peers) : peers_(&peers) {}  // NOLINT: it lives as long
  bool operator()(int i) const {
    return i == one_ ||
           (peers_ != nullptr && (*peers_)[static_cast<std::size_t>(i)] == MPI_PROC_NULL);
  }

 private:
  int one_ = -1;
  const std::vector<int>* peers_ = nullptr;
};
// `count` elements each, one behind the other.
Parts even_parts(Schedule* s, Way way, int n, const void* data, MPI_Count count, const Type& type,
                 LeftOut left_out = {});
// counts(i) elements each, `at(i)` bytes from the buffer's begin. Where there are none their type
// is not asked for: it may be MPI_DATATYPE_NULL, as MPICH has it. `absolute`: of a null buffer
// displacements may be addresses.
template <class Counts, class At, class Types>
Parts parts_at(Schedule* s, Way way, int n, const void* data, Counts counts, At at, Types type,
               LeftOut left_out, bool absolute) {
  Parts parts(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) {
    if (left_out(i) || counts(i) == 0) continue;
    type(i).check_buffer(data, counts(i), absolute ? at(i) : 0);
    char* begin = static_cast<char*>(const_cast<void*>(data)) + at(i);
    parts[static_cast<std::size_t>(i)] = way == Way::kOut ? outgoing(s, begin, counts(i), type(i))
                                                          : incoming(s, begin, counts(i), type(i));
  }
  return parts;
}

// Where nothing comes or goes, nobody asks where or what it is.
template <class Count>
const void* if_any_of(int n, const Count* counts, const void* pointer) {
  check_pointer(if_any(n, counts));
  return if_any(std::any_of(counts, counts + n, [](Count count) { return count != 0; }), pointer);
}

// Counts and displacements in elements of one type.
template <class Count, class Displacement>
Parts uneven_parts(Schedule* s, Way way, int n, const void* data, const Count* counts,
                   const Displacement* displacements, const Type& type, LeftOut left_out = {}) {
  check_pointer(if_any_of(n, counts, displacements));
  return parts_at(
      s, way, n, data, [=](int i) { return MPI_Count{counts[i]}; },
      [&](int i) { return displacements[i] * type.extent(); },
      [&](int) -> const Type& { return type; }, left_out, false);
}
// Displacements in bytes, and a type for each part.
template <class Count, class Displacement>
Parts typed_parts(VirtualRank& me, Schedule* s, Way way, int n, const void* data,
                  const Count* counts, const Displacement* displacements, const MPI_Datatype* types,
                  LeftOut left_out = {}) {
  check_pointer(if_any_of(n, counts, displacements));
  check_pointer(if_any_of(n, counts, types));
  return parts_at(
      s, way, n, data, [=](int i) { return MPI_Count{counts[i]}; },
      [=](int i) { return MPI_Aint{displacements[i]}; }, [&](int i) { return Type(me, types[i]); },
      left_out, true);
}

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_BUFFERS_H_
