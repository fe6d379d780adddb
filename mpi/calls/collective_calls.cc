// Collectives that move data (chapter 5 of the standard), blocking and not. A blocking one is the
// other, waited for: its handle is null.

#include <cstring>

#include "base/text.h"
#include "mpi/calls/buffers.h"
#include "mpi/calls/collective_frame.h"

namespace roam::mpi {

Role role_of(const Communicator& c, int root) {
  if (c.is_inter() && root == MPI_ROOT) return Role::kRoot;
  if (c.is_inter() && root == MPI_PROC_NULL) return Role::kNone;
  if (root < 0 || root >= c.peers().size()) {
    throw CallError(MPI_ERR_ROOT, text("the root is rank %d; the communicator has 0 to %d", root,
                                       c.peers().size() - 1));
  }
  return !c.is_inter() && c.rank == root ? Role::kRoot : Role::kOther;
}

void check_intra(const Communicator& c) {
  if (c.is_inter()) throw CallError(MPI_ERR_COMM, "this collective is not for intercommunicators");
}

namespace {

// ---- barrier, broadcast ----

int barrier(MPI_Comm communicator) {
  return call("MPI_Barrier", communicator,
              [&](VirtualRank& me) { wait_for_barrier(me, me.communicator(communicator)); });
}
template <Name kName>
int ibarrier(MPI_Comm communicator, MPI_Request* handle) {
  return collective(kName.text, CollectiveFamily::kBarrier, communicator, handle,
                    [](VirtualRank&, Communicator& c, Schedule* s) { add_barrier(s, c); });
}

template <Name kName, class Count>
int ibroadcast(void* data, Count count, MPI_Datatype datatype, int root, MPI_Comm communicator,
               MPI_Request* handle) {
  return collective(kName.text, CollectiveFamily::kBroadcast, communicator, handle,
                    [&](VirtualRank& me, Communicator& c, Schedule* s) {
                      const Role role = role_of(c, root);
                      if (role == Role::kNone) return;
                      s->keep_number();
                      const Type type(me, datatype);
                      const Bytes bytes = role == Role::kRoot ? outgoing(s, data, count, type)
                                                              : incoming(s, data, count, type);
                      if (!c.is_inter()) return add_broadcast(s, c, root, bytes.begin, bytes.count);
                      if (role == Role::kRoot) {
                        s->send(c.peer(0), bytes.begin, bytes.count);
                        s->end_round();
                        return;
                      }
                      if (c.rank == 0) s->receive(c.peer(root), bytes.begin, bytes.count);
                      s->end_round();
                      add_broadcast(s, c, 0, bytes.begin, bytes.count);
                    });
}
template <Name kName, class Count>
int broadcast(void* data, Count count, MPI_Datatype type, int root, MPI_Comm communicator) {
  return ibroadcast<kName>(data, count, type, root, communicator, &no_handle);
}

// ---- how parts go ----

// How parts are received: as long as they must be, or as they come.
using Receive = void (Schedule::*)(int world, void* data, std::size_t bytes);

void copy_own(Schedule* s, const Bytes& from, const Bytes& to) {
  if (from.count > to.count) {
    throw CallError(MPI_ERR_TRUNCATE,
                    text("%zu bytes of a member's own part go where there is room for %zu",
                         from.count, to.count));
  }
  s->then([=] {
    if (from.count != 0) std::memmove(to.begin, from.begin, from.count);
    if (from.count != to.count) s->note_shorter(to.begin, from.count);
  });
}

// `own` is null where this member has no part, or it is in its place already.
void add_gather(Schedule* s, const Communicator& c, int root, Role role, const Bytes* own,
                const Parts& parts, Receive receive = &Schedule::receive_up_to) {
  if (role == Role::kOther) s->send(c.peer(root), own->begin, own->count);
  for (int i = 0; role == Role::kRoot && i < c.peers().size(); ++i) {
    const Bytes& part = parts[static_cast<std::size_t>(i)];
    if (c.is_inter() || i != root) {
      (s->*receive)(c.peer(i), part.begin, part.count);
    } else if (own != nullptr) {
      copy_own(s, *own, part);
    }
  }
  s->end_round();
}

void add_scatter(Schedule* s, const Communicator& c, int root, Role role, const Parts& parts,
                 const Bytes* own) {
  if (role == Role::kOther) s->receive_up_to(c.peer(root), own->begin, own->count);
  for (int i = 0; role == Role::kRoot && i < c.peers().size(); ++i) {
    const Bytes& part = parts[static_cast<std::size_t>(i)];
    if (c.is_inter() || i != root) {
      s->send(c.peer(i), part.begin, part.count);
    } else if (own != nullptr) {
      copy_own(s, part, *own);
    }
  }
  s->end_round();
}

// Each part to all members of the other group.
void add_exchange_of_all(Schedule* s, const Communicator& c, const Bytes& own, const Parts& parts) {
  for (int i = 0; i < c.peers().size(); ++i) {
    const Bytes& part = parts[static_cast<std::size_t>(i)];
    s->receive(c.peer(i), part.begin, part.count);
  }
  for (int i = 0; i < c.peers().size(); ++i) s->send(c.peer(i), own.begin, own.count);
  s->end_round();
}

// To rank 0, which sends all of it on, as one.
void add_allgather(Schedule* s, const Communicator& c, const Bytes& own, const Parts& parts) {
  if (c.is_inter()) return add_exchange_of_all(s, c, own, parts);
  std::size_t all = 0;
  for (const Bytes& part : parts) all += part.count;
  char* packed = s->scratch(all);
  Parts together;
  std::size_t at = 0;
  for (const Bytes& part : parts) {
    together.push_back({packed + at, part.count});
    at += part.count;
  }
  add_gather(s, c, 0, role_of(c, 0), &own, together, &Schedule::receive);
  add_broadcast(s, c, 0, packed, all);
  s->then([parts, together] {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i].count != 0) std::memcpy(parts[i].begin, together[i].begin, parts[i].count);
    }
  });
  s->end_round();
}

// All at once, from the next member on, also what is received: members of a rank run in the order
// of their numbers, and what comes is looked for among the receives from the oldest on.
void add_alltoall(Schedule* s, const Communicator& c, const Parts& out, const Parts& in) {
  const int n = c.peers().size(), first = c.is_inter() ? 0 : 1;
  for (int i = first; i < n; ++i) {
    const int from = (c.rank + i) % n;
    const Bytes& part = in[static_cast<std::size_t>(from)];
    s->receive_up_to(c.peer(from), part.begin, part.count);
  }
  for (int i = first; i < n; ++i) {
    const int to = (c.rank + i) % n;
    const Bytes& part = out[static_cast<std::size_t>(to)];
    s->send(c.peer(to), part.begin, part.count);
  }
  if (!c.is_inter()) {
    const auto own = static_cast<std::size_t>(c.rank);
    copy_own(s, out[own], in[own]);
  }
  s->end_round();
}
// What is sent is taken from a copy of where the rest goes.
Parts copy_parts(Schedule* s, const Parts& parts) {
  Parts copied;
  for (const Bytes& part : parts) {
    const Bytes copy{s->scratch(part.count), part.count};
    copied.push_back(copy);
    s->at_begin([=] {
      if (part.count != 0) std::memcpy(copy.begin, part.begin, part.count);
    });
  }
  return copied;
}

// ---- gather and scatter ----

// `parts(s, skip)` are those of the root's buffer.
template <class MakeParts>
int gather_of(const char* name, const void* in, MPI_Count count, MPI_Datatype type, int root,
              MPI_Comm communicator, MPI_Request* handle, MakeParts parts) {
  return collective(
      name, CollectiveFamily::kGather, communicator, handle,
      [&](VirtualRank& me, Communicator& c, Schedule* s) {
        const Role role = role_of(c, root);
        s->keep_number();
        const bool stays = role == Role::kRoot && in_place(in);
        const bool has_part = role != Role::kNone && !(c.is_inter() && role == Role::kRoot);
        const Bytes own = stays || !has_part ? Bytes{} : outgoing(s, in, count, Type(me, type));
        add_gather(s, c, root, role, stays || !has_part ? nullptr : &own,
                   role == Role::kRoot ? parts(me, c, s, stays ? root : -1) : Parts());
      });
}
template <class MakeParts>
int scatter_of(const char* name, void* out, MPI_Count count, MPI_Datatype type, int root,
               MPI_Comm communicator, MPI_Request* handle, MakeParts parts) {
  return collective(
      name, CollectiveFamily::kScatter, communicator, handle,
      [&](VirtualRank& me, Communicator& c, Schedule* s) {
        const Role role = role_of(c, root);
        s->keep_number();
        const bool stays = role == Role::kRoot && in_place(out);
        const bool has_part = role != Role::kNone && !(c.is_inter() && role == Role::kRoot);
        const Bytes own = stays || !has_part ? Bytes{} : incoming(s, out, count, Type(me, type));
        add_scatter(s, c, root, role,
                    role == Role::kRoot ? parts(me, c, s, stays ? root : -1) : Parts(),
                    stays || !has_part ? nullptr : &own);
      });
}

template <Name kName, class Count>
int igather(const void* in, Count in_count, MPI_Datatype in_type, void* out, Count out_count,
            MPI_Datatype out_type, int root, MPI_Comm communicator, MPI_Request* handle) {
  return gather_of(kName.text, in, in_count, in_type, root, communicator, handle,
                   [&](VirtualRank& me, Communicator& c, Schedule* s, int skip) {
                     return even_parts(s, Way::kIn, c.peers().size(), out, out_count,
                                       Type(me, out_type), skip);
                   });
}
template <Name kName, class Count>
int gather(const void* in, Count in_count, MPI_Datatype in_type, void* out, Count out_count,
           MPI_Datatype out_type, int root, MPI_Comm communicator) {
  return igather<kName>(in, in_count, in_type, out, out_count, out_type, root, communicator,
                        &no_handle);
}

template <Name kName, class Count, class Displacement>
int igatherv(const void* in, Count in_count, MPI_Datatype in_type, void* out, const Count* counts,
             const Displacement* displacements, MPI_Datatype out_type, int root,
             MPI_Comm communicator, MPI_Request* handle) {
  return gather_of(kName.text, in, in_count, in_type, root, communicator, handle,
                   [&](VirtualRank& me, Communicator& c, Schedule* s, int skip) {
                     return uneven_parts(s, Way::kIn, c.peers().size(), out, counts, displacements,
                                         Type(me, out_type), skip);
                   });
}
template <Name kName, class Count, class Displacement>
int gatherv(const void* in, Count in_count, MPI_Datatype in_type, void* out, const Count* counts,
            const Displacement* displacements, MPI_Datatype out_type, int root,
            MPI_Comm communicator) {
  return igatherv<kName>(in, in_count, in_type, out, counts, displacements, out_type, root,
                         communicator, &no_handle);
}

template <Name kName, class Count>
int iscatter(const void* in, Count in_count, MPI_Datatype in_type, void* out, Count out_count,
             MPI_Datatype out_type, int root, MPI_Comm communicator, MPI_Request* handle) {
  return scatter_of(kName.text, out, out_count, out_type, root, communicator, handle,
                    [&](VirtualRank& me, Communicator& c, Schedule* s, int skip) {
                      return even_parts(s, Way::kOut, c.peers().size(), in, in_count,
                                        Type(me, in_type), skip);
                    });
}
template <Name kName, class Count>
int scatter(const void* in, Count in_count, MPI_Datatype in_type, void* out, Count out_count,
            MPI_Datatype out_type, int root, MPI_Comm communicator) {
  return iscatter<kName>(in, in_count, in_type, out, out_count, out_type, root, communicator,
                         &no_handle);
}
template <Name kName, class Count, class Displacement>
int iscatterv(const void* in, const Count* counts, const Displacement* displacements,
              MPI_Datatype in_type, void* out, Count out_count, MPI_Datatype out_type, int root,
              MPI_Comm communicator, MPI_Request* handle) {
  return scatter_of(kName.text, out, out_count, out_type, root, communicator, handle,
                    [&](VirtualRank& me, Communicator& c, Schedule* s, int skip) {
                      return uneven_parts(s, Way::kOut, c.peers().size(), in, counts, displacements,
                                          Type(me, in_type), skip);
                    });
}
template <Name kName, class Count, class Displacement>
int scatterv(const void* in, const Count* counts, const Displacement* displacements,
             MPI_Datatype in_type, void* out, Count out_count, MPI_Datatype out_type, int root,
             MPI_Comm communicator) {
  return iscatterv<kName>(in, counts, displacements, in_type, out, out_count, out_type, root,
                          communicator, &no_handle);
}

// ---- allgather ----

template <Name kName, class Count>
int iallgather(const void* in, Count in_count, MPI_Datatype in_type, void* out, Count out_count,
               MPI_Datatype out_type, MPI_Comm communicator, MPI_Request* handle) {
  return collective(
      kName.text, CollectiveFamily::kAllgather, communicator, handle,
      [&](VirtualRank& me, Communicator& c, Schedule* s) {
        const Type type(me, out_type);
        type.check_buffer(out, out_count);
        const Bytes own =
            in_place(c, in)
                ? outgoing(s,
                           static_cast<char*>(out) + MPI_Count{c.rank} * out_count * type.extent(),
                           out_count, type)
                : outgoing(s, in, in_count, Type(me, in_type));
        add_allgather(s, c, own, even_parts(s, Way::kIn, c.peers().size(), out, out_count, type));
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
  return collective(
      kName.text, CollectiveFamily::kAllgather, communicator, handle,
      [&](VirtualRank& me, Communicator& c, Schedule* s) {
        const Type type(me, out_type);
        const Parts into =
            uneven_parts(s, Way::kIn, c.peers().size(), out, counts, displacements, type);
        Bytes own;
        if (!in_place(c, in)) {
          own = outgoing(s, in, in_count, Type(me, in_type));
        } else if (counts[c.rank] != 0) {  // of nothing at all, displacements may be absent
          own = outgoing(s, static_cast<char*>(out) + displacements[c.rank] * type.extent(),
                         counts[c.rank], type);
        }
        add_allgather(s, c, own, into);
      });
}
template <Name kName, class Count, class Displacement>
int allgatherv(const void* in, Count in_count, MPI_Datatype in_type, void* out, const Count* counts,
               const Displacement* displacements, MPI_Datatype out_type, MPI_Comm communicator) {
  return iallgatherv<kName>(in, in_count, in_type, out, counts, displacements, out_type,
                            communicator, &no_handle);
}

// ---- alltoall ----

// parts(way) of the buffer that is sent from, or received in.
template <class MakeParts>
int alltoall_of(const char* name, const void* in, MPI_Comm communicator, MPI_Request* handle,
                MakeParts parts) {
  return collective(name, CollectiveFamily::kAlltoall, communicator, handle,
                    [&](VirtualRank& me, Communicator& c, Schedule* s) {
                      const bool stays = in_place(c, in);
                      const Parts into = parts(me, c, s, Way::kIn, true);
                      const Parts from = stays ? copy_parts(s, parts(me, c, s, Way::kOut, true))
                                               : parts(me, c, s, Way::kOut, false);
                      add_alltoall(s, c, from, into);
                    });
}

template <Name kName, class Count>
int ialltoall(const void* in, Count in_count, MPI_Datatype in_type, void* out, Count out_count,
              MPI_Datatype out_type, MPI_Comm communicator, MPI_Request* handle) {
  return alltoall_of(
      kName.text, in, communicator, handle,
      [&](VirtualRank& me, Communicator& c, Schedule* s, Way way, bool of_out) {
        return of_out ? even_parts(s, way, c.peers().size(), out, out_count, Type(me, out_type))
                      : even_parts(s, way, c.peers().size(), in, in_count, Type(me, in_type));
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
  return alltoall_of(kName.text, in, communicator, handle,
                     [&](VirtualRank& me, Communicator& c, Schedule* s, Way way, bool of_out) {
                       return of_out ? uneven_parts(s, way, c.peers().size(), out, out_counts,
                                                    out_displacements, Type(me, out_type))
                                     : uneven_parts(s, way, c.peers().size(), in, in_counts,
                                                    in_displacements, Type(me, in_type));
                     });
}
template <Name kName, class Count, class Displacement>
int alltoallv(const void* in, const Count* in_counts, const Displacement* in_displacements,
              MPI_Datatype in_type, void* out, const Count* out_counts,
              const Displacement* out_displacements, MPI_Datatype out_type, MPI_Comm communicator) {
  return ialltoallv<kName>(in, in_counts, in_displacements, in_type, out, out_counts,
                           out_displacements, out_type, communicator, &no_handle);
}

template <Name kName, class Count, class Displacement>
int ialltoallw(const void* in, const Count* in_counts, const Displacement* in_displacements,
               const MPI_Datatype* in_types, void* out, const Count* out_counts,
               const Displacement* out_displacements, const MPI_Datatype* out_types,
               MPI_Comm communicator, MPI_Request* handle) {
  return alltoall_of(kName.text, in, communicator, handle,
                     [&](VirtualRank& me, Communicator& c, Schedule* s, Way way, bool of_out) {
                       return of_out ? typed_parts(me, s, way, c.peers().size(), out, out_counts,
                                                   out_displacements, out_types)
                                     : typed_parts(me, s, way, c.peers().size(), in, in_counts,
                                                   in_displacements, in_types);
                     });
}
template <Name kName, class Count, class Displacement>
int alltoallw(const void* in, const Count* in_counts, const Displacement* in_displacements,
              const MPI_Datatype* in_types, void* out, const Count* out_counts,
              const Displacement* out_displacements, const MPI_Datatype* out_types,
              MPI_Comm communicator) {
  return ialltoallw<kName>(in, in_counts, in_displacements, in_types, out, out_counts,
                           out_displacements, out_types, communicator, &no_handle);
}

}  // namespace

void add_collective_calls() {
  add_call("MPI_Barrier", &barrier);
  add_call("MPI_Ibarrier", &ibarrier<"MPI_Ibarrier">);
  ROAM_BOTH("MPI_Bcast", broadcast);
  ROAM_BOTH("MPI_Ibcast", ibroadcast);
  ROAM_BOTH("MPI_Gather", gather);
  ROAM_BOTH("MPI_Igather", igather);
  ROAM_BOTH_V("MPI_Gatherv", gatherv);
  ROAM_BOTH_V("MPI_Igatherv", igatherv);
  ROAM_BOTH("MPI_Scatter", scatter);
  ROAM_BOTH("MPI_Iscatter", iscatter);
  ROAM_BOTH_V("MPI_Scatterv", scatterv);
  ROAM_BOTH_V("MPI_Iscatterv", iscatterv);
  ROAM_BOTH("MPI_Allgather", allgather);
  ROAM_BOTH("MPI_Iallgather", iallgather);
  ROAM_BOTH_V("MPI_Allgatherv", allgatherv);
  ROAM_BOTH_V("MPI_Iallgatherv", iallgatherv);
  ROAM_BOTH("MPI_Alltoall", alltoall);
  ROAM_BOTH("MPI_Ialltoall", ialltoall);
  ROAM_BOTH_V("MPI_Alltoallv", alltoallv);
  ROAM_BOTH_V("MPI_Ialltoallv", ialltoallv);
  ROAM_BOTH_V("MPI_Alltoallw", alltoallw);
  ROAM_BOTH_V("MPI_Ialltoallw", ialltoallw);
  add_persistent_call<&ibarrier<"MPI_Barrier_init">>("MPI_Barrier_init");
  ROAM_PERSISTENT("MPI_Bcast_init", ibroadcast);
  ROAM_PERSISTENT("MPI_Gather_init", igather);
  ROAM_PERSISTENT_V("MPI_Gatherv_init", igatherv);
  ROAM_PERSISTENT("MPI_Scatter_init", iscatter);
  ROAM_PERSISTENT_V("MPI_Scatterv_init", iscatterv);
  ROAM_PERSISTENT("MPI_Allgather_init", iallgather);
  ROAM_PERSISTENT_V("MPI_Allgatherv_init", iallgatherv);
  ROAM_PERSISTENT("MPI_Alltoall_init", ialltoall);
  ROAM_PERSISTENT_V("MPI_Alltoallv_init", ialltoallv);
  ROAM_PERSISTENT_V("MPI_Alltoallw_init", ialltoallw);
}

}  // namespace roam::mpi
