// Collectives of neighbours (chapter 7.6 of the standard), blocking and not.

#include <algorithm>
#include <vector>

#include "mpi/calls/buffers.h"
#include "mpi/calls/collective_frame.h"

namespace roam::mpi {
namespace {

struct Neighbours {
  std::vector<int> from, to;
};
Neighbours neighbours_of(const Communicator& c) {
  if (c.topology == nullptr) throw CallError(MPI_ERR_TOPOLOGY, "the communicator has no topology");
  return {c.topology->sources_of(c.rank), c.topology->destinations_of(c.rank)};
}

// Two members can be neighbours in both directions of a ring of two, or several times: each edge is
// a message of its own, and those between two members come in their order. In a grid what goes
// down is what the other one receives from above, so sends to a member are in the order in which it
// receives from this one.
void add_exchange(Schedule* s, const Communicator& c, const Neighbours& n, const Parts& out,
                  const Parts& in) {
  for (std::size_t i = 0; i < n.from.size(); ++i) {
    if (n.from[i] != MPI_PROC_NULL) s->receive(c.member(n.from[i]), in[i].begin, in[i].count);
  }
  std::vector<std::size_t> order(n.to.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  if (c.topology->kind == MPI_CART) {
    for (std::size_t i = 0; i + 1 < order.size(); i += 2) std::swap(order[i], order[i + 1]);
  }
  for (const std::size_t i : order) {
    if (n.to[i] != MPI_PROC_NULL) s->send(c.member(n.to[i]), out[i].begin, out[i].count);
  }
  s->end_round();
}

// One part for all that are sent to; make_in(me, s, n, left_out): n parts, of which those of
// neighbours that are not there are left out.
template <Name kName, class MakeIn>
int allgather_of(const void* in, MPI_Count count, MPI_Datatype type, MPI_Comm communicator,
                 MPI_Request* handle, MakeIn make_in) {
  return collective(
      kName.text, CollectiveFamily::kNeighbours, communicator, handle,
      [&](VirtualRank& me, Communicator& c, Schedule* s) {
        const Neighbours n = neighbours_of(c);
        const Parts out(n.to.size(),
                        n.to.empty() ? Bytes{} : outgoing(s, in, count, Type(me, type)));
        add_exchange(s, c, n, out, make_in(me, s, static_cast<int>(n.from.size()), n.from));
      });
}
template <Name kName, class Count>
int iallgather(const void* in, Count in_count, MPI_Datatype in_type, void* out, Count out_count,
               MPI_Datatype out_type, MPI_Comm communicator, MPI_Request* handle) {
  return allgather_of<kName>(in, in_count, in_type, communicator, handle,
                             [&](VirtualRank& me, Schedule* s, int n, LeftOut left_out) {
                               return even_parts(s, Way::kIn, n, out, out_count, Type(me, out_type),
                                                 left_out);
                             });
}
template <Name kName, class Count>
int allgather(const void* in, Count in_count, MPI_Datatype in_type, void* out, Count out_count,
              MPI_Datatype out_type, MPI_Comm communicator) {
  return iallgather<kName>(in, in_count, in_type, out, out_count, out_type, communicator,
                           &no_handle);
}

template <Name kName, class Count, class Displacement>
int iallgatherv(const void* in, Count in_count, MPI_Datatype in_type, void* out,
                const Count* counts, const Displacement* displacements, MPI_Datatype out_type,
                MPI_Comm communicator, MPI_Request* handle) {
  return allgather_of<kName>(in, in_count, in_type, communicator, handle,
                             [&](VirtualRank& me, Schedule* s, int n, LeftOut left_out) {
                               return uneven_parts(s, Way::kIn, n, out, counts, displacements,
                                                   Type(me, out_type), left_out);
                             });
}
template <Name kName, class Count, class Displacement>
int allgatherv(const void* in, Count in_count, MPI_Datatype in_type, void* out, const Count* counts,
               const Displacement* displacements, MPI_Datatype out_type, MPI_Comm communicator) {
  return iallgatherv<kName>(in, in_count, in_type, out, counts, displacements, out_type,
                            communicator, &no_handle);
}

// A part for each: make(me, s, way, n, left_out).
template <Name kName, class MakeParts>
int alltoall_of(MPI_Comm communicator, MPI_Request* handle, MakeParts make) {
  return collective(kName.text, CollectiveFamily::kNeighbours, communicator, handle,
                    [&](VirtualRank& me, Communicator& c, Schedule* s) {
                      const Neighbours n = neighbours_of(c);
                      const Parts out = make(me, s, Way::kOut, static_cast<int>(n.to.size()), n.to);
                      add_exchange(s, c, n, out,
                                   make(me, s, Way::kIn, static_cast<int>(n.from.size()), n.from));
                    });
}
template <Name kName, class Count>
int ialltoall(const void* in, Count in_count, MPI_Datatype in_type, void* out, Count out_count,
              MPI_Datatype out_type, MPI_Comm communicator, MPI_Request* handle) {
  return alltoall_of<kName>(
      communicator, handle, [&](VirtualRank& me, Schedule* s, Way way, int n, LeftOut left_out) {
        return way == Way::kIn ? even_parts(s, way, n, out, out_count, Type(me, out_type), left_out)
                               : even_parts(s, way, n, in, in_count, Type(me, in_type), left_out);
      });
}
template <Name kName, class Count>
int alltoall(const void* in, Count in_count, MPI_Datatype in_type, void* out, Count out_count,
             MPI_Datatype out_type, MPI_Comm communicator) {
  return ialltoall<kName>(in, in_count, in_type, out, out_count, out_type, communicator,
                          &no_handle);
}
template <Name kName, class Count, class Displacement>
int ialltoallv(const void* in, const Count* in_counts, const Displacement* in_displacements,
               MPI_Datatype in_type, void* out, const Count* out_counts,
               const Displacement* out_displacements, MPI_Datatype out_type, MPI_Comm communicator,
               MPI_Request* handle) {
  return alltoall_of<kName>(
      communicator, handle, [&](VirtualRank& me, Schedule* s, Way way, int n, LeftOut left_out) {
        return way == Way::kIn ? uneven_parts(s, way, n, out, out_counts, out_displacements,
                                              Type(me, out_type), left_out)
                               : uneven_parts(s, way, n, in, in_counts, in_displacements,
                                              Type(me, in_type), left_out);
      });
}
template <Name kName, class Count, class Displacement>
int alltoallv(const void* in, const Count* in_counts, const Displacement* in_displacements,
              MPI_Datatype in_type, void* out, const Count* out_counts,
              const Displacement* out_displacements, MPI_Datatype out_type, MPI_Comm communicator) {
  return ialltoallv<kName>(in, in_counts, in_displacements, in_type, out, out_counts,
                           out_displacements, out_type, communicator, &no_handle);
}

template <Name kName, class Count>
int ialltoallw(const void* in, const Count* in_counts, const MPI_Aint* in_displacements,
               const MPI_Datatype* in_types, void* out, const Count* out_counts,
               const MPI_Aint* out_displacements, const MPI_Datatype* out_types,
               MPI_Comm communicator, MPI_Request* handle) {
  return alltoall_of<kName>(
      communicator, handle, [&](VirtualRank& me, Schedule* s, Way way, int n, LeftOut left_out) {
        return way == Way::kIn ? typed_parts(me, s, way, n, out, out_counts, out_displacements,
                                             out_types, left_out)
                               : typed_parts(me, s, way, n, in, in_counts, in_displacements,
                                             in_types, left_out);
      });
}
template <Name kName, class Count>
int alltoallw(const void* in, const Count* in_counts, const MPI_Aint* in_displacements,
              const MPI_Datatype* in_types, void* out, const Count* out_counts,
              const MPI_Aint* out_displacements, const MPI_Datatype* out_types,
              MPI_Comm communicator) {
  return ialltoallw<kName>(in, in_counts, in_displacements, in_types, out, out_counts,
                           out_displacements, out_types, communicator, &no_handle);
}

}  // namespace

void add_neighbour_calls() {
  ROAM_BOTH("MPI_Neighbor_allgather", allgather);
  ROAM_BOTH("MPI_Ineighbor_allgather", iallgather);
  ROAM_BOTH_V("MPI_Neighbor_allgatherv", allgatherv);
  ROAM_BOTH_V("MPI_Ineighbor_allgatherv", iallgatherv);
  ROAM_BOTH("MPI_Neighbor_alltoall", alltoall);
  ROAM_BOTH("MPI_Ineighbor_alltoall", ialltoall);
  ROAM_BOTH_V("MPI_Neighbor_alltoallv", alltoallv);
  ROAM_BOTH_V("MPI_Ineighbor_alltoallv", ialltoallv);
  ROAM_BOTH("MPI_Neighbor_alltoallw", alltoallw);
  ROAM_BOTH("MPI_Ineighbor_alltoallw", ialltoallw);
  ROAM_PERSISTENT("MPI_Neighbor_allgather_init", iallgather);
  ROAM_PERSISTENT_V("MPI_Neighbor_allgatherv_init", iallgatherv);
  ROAM_PERSISTENT("MPI_Neighbor_alltoall_init", ialltoall);
  ROAM_PERSISTENT_V("MPI_Neighbor_alltoallv_init", ialltoallv);
  ROAM_PERSISTENT("MPI_Neighbor_alltoallw_init", ialltoallw);
}

}  // namespace roam::mpi
