// Collectives (chapter 5 of the standard), blocking and not. A blocking one is the other, waited
// for.

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/text.h"
#include "mpi/calls/call.h"
#include "mpi/calls/collectives.h"
#include "mpi/calls/messages.h"

namespace roam::mpi {
namespace {

// Makes the schedule of a collective and waits for it; or, given where its request's handle goes,
// leaves it under way.
template <class Make>
int collective(const char* name, MPI_Comm communicator, MPI_Request* handle, Make make) {
  return call(name, communicator, [&](VirtualRank& me) {
    Communicator& c = me.communicator(communicator);
    std::unique_ptr<Schedule> schedule = begin_collective(c);
    make(me, c, schedule.get());
    if (handle == nullptr) return wait_for(me, schedule.get());
    auto request = std::make_unique<Request>();
    request->kind = Request::Kind::kCollective;
    request->communicator = communicator;
    request->schedule = std::move(schedule);
    request->started = true;
    request->done = false;
    if (!advance(request.get())) me.watch(request.get());
    *handle = me.requests.add(std::move(request));
  });
}

void check_root(const Communicator& c, int root) {
  if (root >= 0 && root < c.size()) return;
  throw Failure(MPI_ERR_ROOT,
                text("the root is rank %d; the communicator has 0 to %d", root, c.size() - 1));
}

char* nth(void* data, MPI_Count index, const Type& type) {
  return static_cast<char*>(data) + index * type.extent();
}

bool in_place(const void* data) { return data == MPI_IN_PLACE; }

// A copy of this member's part, which is combined in place; from `out` if it lies there.
char* part_of(Schedule* s, const void* in, const void* out, MPI_Count count, const Type& type) {
  const std::size_t bytes = bytes_of(type, count);
  char* part = s->scratch(bytes);
  if (bytes != 0) std::memcpy(part, in_place(in) ? out : in, bytes);
  return part;
}
void put_result(Schedule* s, void* to, const char* part, std::size_t bytes) {
  s->then([=] {
    if (bytes != 0) std::memcpy(to, part, bytes);
  });
  s->end_round();
}

// ---- barrier, broadcast ----

int barrier_of(const char* name, MPI_Comm communicator, MPI_Request* handle) {
  return collective(name, communicator, handle,
                    [](VirtualRank&, Communicator& c, Schedule* s) { add_barrier(s, c); });
}
int barrier(MPI_Comm communicator) { return barrier_of("MPI_Barrier", communicator, nullptr); }
int ibarrier(MPI_Comm communicator, MPI_Request* handle) {
  return barrier_of("MPI_Ibarrier", communicator, handle);
}

int broadcast_of(const char* name, void* data, MPI_Count count, MPI_Datatype datatype, int root,
                 MPI_Comm communicator, MPI_Request* handle) {
  return collective(name, communicator, handle, [&](VirtualRank&, Communicator& c, Schedule* s) {
    check_root(c, root);
    add_broadcast(s, c, root, data, bytes_of(Type(datatype), count));
  });
}
template <Name kName, class Count>
int broadcast(void* data, Count count, MPI_Datatype type, int root, MPI_Comm communicator) {
  return broadcast_of(kName.text, data, count, type, root, communicator, nullptr);
}
template <Name kName, class Count>
int ibroadcast(void* data, Count count, MPI_Datatype type, int root, MPI_Comm communicator,
               MPI_Request* handle) {
  return broadcast_of(kName.text, data, count, type, root, communicator, handle);
}

// ---- reductions ----

int reduce_of(const char* name, const void* in, void* out, MPI_Count count, MPI_Datatype datatype,
              MPI_Op operation, int root, MPI_Comm communicator, MPI_Request* handle) {
  return collective(name, communicator, handle, [&](VirtualRank& me, Communicator& c, Schedule* s) {
    check_root(c, root);
    const Type type(datatype);
    const Reduction op(me, operation, type);
    const std::size_t bytes = bytes_of(type, count);
    char* part = part_of(s, in, out, count, type);
    add_reduction_to_first(s, c, part, count, type, op);
    if (root != 0 && c.rank == 0) {
      s->send(root, part, bytes);
      s->end_round();
    } else if (root != 0 && c.rank == root) {
      s->receive(0, part, bytes);
      s->end_round();
    }
    if (c.rank == root) put_result(s, out, part, bytes);
  });
}
template <Name kName, class Count>
int reduce(const void* in, void* out, Count count, MPI_Datatype type, MPI_Op op, int root,
           MPI_Comm communicator) {
  return reduce_of(kName.text, in, out, count, type, op, root, communicator, nullptr);
}
template <Name kName, class Count>
int ireduce(const void* in, void* out, Count count, MPI_Datatype type, MPI_Op op, int root,
            MPI_Comm communicator, MPI_Request* handle) {
  return reduce_of(kName.text, in, out, count, type, op, root, communicator, handle);
}

int allreduce_of(const char* name, const void* in, void* out, MPI_Count count,
                 MPI_Datatype datatype, MPI_Op operation, MPI_Comm communicator,
                 MPI_Request* handle) {
  return collective(name, communicator, handle, [&](VirtualRank& me, Communicator& c, Schedule* s) {
    const Type type(datatype);
    const Reduction op(me, operation, type);
    const std::size_t bytes = bytes_of(type, count);
    char* part = part_of(s, in, out, count, type);
    add_reduction_to_first(s, c, part, count, type, op);
    add_broadcast(s, c, 0, part, bytes);
    put_result(s, out, part, bytes);
  });
}
template <Name kName, class Count>
int allreduce(const void* in, void* out, Count count, MPI_Datatype type, MPI_Op op,
              MPI_Comm communicator) {
  return allreduce_of(kName.text, in, out, count, type, op, communicator, nullptr);
}
template <Name kName, class Count>
int iallreduce(const void* in, void* out, Count count, MPI_Datatype type, MPI_Op op,
               MPI_Comm communicator, MPI_Request* handle) {
  return allreduce_of(kName.text, in, out, count, type, op, communicator, handle);
}

int scan_of(const char* name, const void* in, void* out, MPI_Count count, MPI_Datatype datatype,
            MPI_Op operation, MPI_Comm communicator, bool without_own, MPI_Request* handle) {
  return collective(name, communicator, handle, [&](VirtualRank& me, Communicator& c, Schedule* s) {
    const Type type(datatype);
    const Reduction op(me, operation, type);
    char* part = part_of(s, in, out, count, type);
    add_scan(s, c, part, count, type, op, without_own);
    if (!without_own || c.rank != 0) put_result(s, out, part, bytes_of(type, count));
  });
}
template <Name kName, bool kWithoutOwn, class Count>
int scan(const void* in, void* out, Count count, MPI_Datatype type, MPI_Op op,
         MPI_Comm communicator) {
  return scan_of(kName.text, in, out, count, type, op, communicator, kWithoutOwn, nullptr);
}
template <Name kName, bool kWithoutOwn, class Count>
int iscan(const void* in, void* out, Count count, MPI_Datatype type, MPI_Op op,
          MPI_Comm communicator, MPI_Request* handle) {
  return scan_of(kName.text, in, out, count, type, op, communicator, kWithoutOwn, handle);
}

// Rank i gets counts[i] elements, those behind what lower ranks get.
template <class Counts>
int reduce_scatter_of(const char* name, const void* in, void* out, Counts counts,
                      MPI_Datatype datatype, MPI_Op operation, MPI_Comm communicator,
                      MPI_Request* handle) {
  return collective(name, communicator, handle, [&](VirtualRank& me, Communicator& c, Schedule* s) {
    const Type type(datatype);
    const Reduction op(me, operation, type);
    MPI_Count all = 0;
    for (int i = 0; i < c.size(); ++i) all += static_cast<MPI_Count>(bytes_of(type, counts(i)) != 0 ? counts(i) : 0);
    char* part = part_of(s, in, out, all, type);
    add_reduction_to_first(s, c, part, all, type, op);
    const std::size_t own_bytes = bytes_of(type, counts(c.rank));
    if (c.rank == 0) {
      MPI_Count at = counts(0);
      for (int i = 1; i < c.size(); at += counts(i++))
        s->send(i, nth(part, at, type), bytes_of(type, counts(i)));
    } else {
      s->receive(0, part, own_bytes);
    }
    s->end_round();
    put_result(s, out, part, own_bytes);
  });
}
template <Name kName, class Count>
int reduce_scatter(const void* in, void* out, const Count* counts, MPI_Datatype type, MPI_Op op,
                   MPI_Comm communicator) {
  return reduce_scatter_of(kName.text, in, out, [=](int i) { return MPI_Count{counts[i]}; }, type,
                           op, communicator, nullptr);
}
template <Name kName, class Count>
int ireduce_scatter(const void* in, void* out, const Count* counts, MPI_Datatype type, MPI_Op op,
                    MPI_Comm communicator, MPI_Request* handle) {
  return reduce_scatter_of(kName.text, in, out, [=](int i) { return MPI_Count{counts[i]}; }, type,
                           op, communicator, handle);
}
template <Name kName, class Count>
int reduce_scatter_block(const void* in, void* out, Count count, MPI_Datatype type, MPI_Op op,
                         MPI_Comm communicator) {
  return reduce_scatter_of(kName.text, in, out, [=](int) { return MPI_Count{count}; }, type, op,
                           communicator, nullptr);
}
template <Name kName, class Count>
int ireduce_scatter_block(const void* in, void* out, Count count, MPI_Datatype type, MPI_Op op,
                          MPI_Comm communicator, MPI_Request* handle) {
  return reduce_scatter_of(kName.text, in, out, [=](int) { return MPI_Count{count}; }, type, op,
                           communicator, handle);
}

// ---- gather, scatter, alltoall ----

// Parts of a buffer, one a member.
struct Parts {
  std::vector<char*> begins;
  std::vector<std::size_t> bytes;
};
Parts even_parts(const Communicator& c, const void* data, MPI_Count count, const Type& type) {
  Parts parts;
  for (int i = 0; i < c.size(); ++i) {
    parts.begins.push_back(nth(const_cast<void*>(data), MPI_Count{i} * count, type));
    parts.bytes.push_back(bytes_of(type, count));
  }
  return parts;
}
template <class Count, class Displacement>
Parts uneven_parts(const Communicator& c, const void* data, const Count* counts,
                   const Displacement* displacements, const Type& type) {
  Parts parts;
  for (int i = 0; i < c.size(); ++i) {
    parts.begins.push_back(nth(const_cast<void*>(data), displacements[i], type));
    parts.bytes.push_back(bytes_of(type, counts[i]));
  }
  return parts;
}

void check_same(std::size_t sent, std::size_t room) {
  if (sent == room) return;
  throw Failure(MPI_ERR_TRUNCATE, text("%zu bytes of a member's own part go where %zu are expected",
                                       sent, room));
}

void copy_own(Schedule* s, char* to, std::size_t room, const void* from, std::size_t bytes) {
  check_same(bytes, room);
  s->then([=] {
    if (bytes != 0) std::memmove(to, from, bytes);
  });
}

void add_gather(Schedule* s, const Communicator& c, int root, const void* in, std::size_t bytes,
                const Parts& parts) {
  if (c.rank != root) {
    s->send(root, in, bytes);
  } else {
    for (int i = 0; i < c.size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (i != root) {
        s->receive(i, parts.begins[at], parts.bytes[at]);
      } else if (!in_place(in)) {
        copy_own(s, parts.begins[at], parts.bytes[at], in, bytes);
      }
    }
  }
  s->end_round();
}

void add_scatter(Schedule* s, const Communicator& c, int root, const Parts& parts, void* out,
                 std::size_t bytes) {
  if (c.rank != root) {
    s->receive(root, out, bytes);
  } else {
    for (int i = 0; i < c.size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (i != root) {
        s->send(i, parts.begins[at], parts.bytes[at]);
      } else if (!in_place(out)) {
        copy_own(s, static_cast<char*>(out), bytes, parts.begins[at], parts.bytes[at]);
      }
    }
  }
  s->end_round();
}

// To rank 0, which sends all of it on, as one.
void add_allgather(Schedule* s, const Communicator& c, const void* in, std::size_t bytes,
                   const Parts& parts) {
  const auto own = static_cast<std::size_t>(c.rank);
  const void* mine = in_place(in) ? parts.begins[own] : in;
  if (!in_place(in)) check_same(bytes, parts.bytes[own]);
  std::size_t all = 0;
  for (const std::size_t part : parts.bytes) all += part;
  char* packed = s->scratch(all);
  Parts together;
  for (std::size_t i = 0, at = 0; i < parts.bytes.size(); at += parts.bytes[i++]) {
    together.begins.push_back(packed + at);
    together.bytes.push_back(parts.bytes[i]);
  }
  add_gather(s, c, 0, mine, parts.bytes[own], together);
  add_broadcast(s, c, 0, packed, all);
  s->then([=] {
    for (std::size_t i = 0; i < parts.bytes.size(); ++i) {
      if (parts.bytes[i] != 0) std::memcpy(parts.begins[i], together.begins[i], parts.bytes[i]);
    }
  });
  s->end_round();
}

// All at once, nearest members first.
void add_alltoall(Schedule* s, const Communicator& c, const Parts& out, const Parts& in) {
  for (int i = 1; i < c.size(); ++i) {
    const int from = (c.rank - i + c.size()) % c.size();
    const auto at = static_cast<std::size_t>(from);
    s->receive(from, in.begins[at], in.bytes[at]);
  }
  for (int i = 1; i < c.size(); ++i) {
    const int to = (c.rank + i) % c.size();
    const auto at = static_cast<std::size_t>(to);
    s->send(to, out.begins[at], out.bytes[at]);
  }
  const auto own = static_cast<std::size_t>(c.rank);
  copy_own(s, in.begins[own], in.bytes[own], out.begins[own], out.bytes[own]);
  s->end_round();
}
// What is sent is taken from a copy of where the rest goes.
Parts copy_parts(Schedule* s, const Parts& parts) {
  Parts copied;
  for (std::size_t i = 0; i < parts.bytes.size(); ++i) {
    copied.begins.push_back(s->scratch(parts.bytes[i]));
    copied.bytes.push_back(parts.bytes[i]);
    if (parts.bytes[i] != 0) std::memcpy(copied.begins[i], parts.begins[i], parts.bytes[i]);
  }
  return copied;
}

template <Name kName, class Count>
int igather(const void* in, Count in_count, MPI_Datatype in_type, void* out, Count out_count,
            MPI_Datatype out_type, int root, MPI_Comm communicator, MPI_Request* handle) {
  return collective(kName.text, communicator, handle,
                    [&](VirtualRank&, Communicator& c, Schedule* s) {
                      check_root(c, root);
                      Parts parts;
                      if (c.rank == root) parts = even_parts(c, out, out_count, Type(out_type));
                      const std::size_t bytes =
                          in_place(in) ? 0 : bytes_of(Type(in_type), in_count);
                      add_gather(s, c, root, in, bytes, parts);
                    });
}
template <Name kName, class Count>
int gather(const void* in, Count in_count, MPI_Datatype in_type, void* out, Count out_count,
           MPI_Datatype out_type, int root, MPI_Comm communicator) {
  return igather<kName>(in, in_count, in_type, out, out_count, out_type, root, communicator,
                        nullptr);
}
template <Name kName, class Count, class Displacement>
int igatherv(const void* in, Count in_count, MPI_Datatype in_type, void* out, const Count* counts,
             const Displacement* displacements, MPI_Datatype out_type, int root,
             MPI_Comm communicator, MPI_Request* handle) {
  return collective(kName.text, communicator, handle,
                    [&](VirtualRank&, Communicator& c, Schedule* s) {
                      check_root(c, root);
                      Parts parts;
                      if (c.rank == root)
                        parts = uneven_parts(c, out, counts, displacements, Type(out_type));
                      const std::size_t bytes =
                          in_place(in) ? 0 : bytes_of(Type(in_type), in_count);
                      add_gather(s, c, root, in, bytes, parts);
                    });
}
template <Name kName, class Count, class Displacement>
int gatherv(const void* in, Count in_count, MPI_Datatype in_type, void* out, const Count* counts,
            const Displacement* displacements, MPI_Datatype out_type, int root,
            MPI_Comm communicator) {
  return igatherv<kName>(in, in_count, in_type, out, counts, displacements, out_type, root,
                         communicator, nullptr);
}

template <Name kName, class Count>
int iscatter(const void* in, Count in_count, MPI_Datatype in_type, void* out, Count out_count,
             MPI_Datatype out_type, int root, MPI_Comm communicator, MPI_Request* handle) {
  return collective(kName.text, communicator, handle,
                    [&](VirtualRank&, Communicator& c, Schedule* s) {
                      check_root(c, root);
                      Parts parts;
                      if (c.rank == root) parts = even_parts(c, in, in_count, Type(in_type));
                      const std::size_t bytes =
                          in_place(out) ? 0 : bytes_of(Type(out_type), out_count);
                      add_scatter(s, c, root, parts, out, bytes);
                    });
}
template <Name kName, class Count>
int scatter(const void* in, Count in_count, MPI_Datatype in_type, void* out, Count out_count,
            MPI_Datatype out_type, int root, MPI_Comm communicator) {
  return iscatter<kName>(in, in_count, in_type, out, out_count, out_type, root, communicator,
                         nullptr);
}
template <Name kName, class Count, class Displacement>
int iscatterv(const void* in, const Count* counts, const Displacement* displacements,
              MPI_Datatype in_type, void* out, Count out_count, MPI_Datatype out_type, int root,
              MPI_Comm communicator, MPI_Request* handle) {
  return collective(kName.text, communicator, handle,
                    [&](VirtualRank&, Communicator& c, Schedule* s) {
                      check_root(c, root);
                      Parts parts;
                      if (c.rank == root)
                        parts = uneven_parts(c, in, counts, displacements, Type(in_type));
                      const std::size_t bytes =
                          in_place(out) ? 0 : bytes_of(Type(out_type), out_count);
                      add_scatter(s, c, root, parts, out, bytes);
                    });
}
template <Name kName, class Count, class Displacement>
int scatterv(const void* in, const Count* counts, const Displacement* displacements,
             MPI_Datatype in_type, void* out, Count out_count, MPI_Datatype out_type, int root,
             MPI_Comm communicator) {
  return iscatterv<kName>(in, counts, displacements, in_type, out, out_count, out_type, root,
                          communicator, nullptr);
}

template <Name kName, class Count>
int iallgather(const void* in, Count in_count, MPI_Datatype in_type, void* out, Count out_count,
               MPI_Datatype out_type, MPI_Comm communicator, MPI_Request* handle) {
  return collective(
      kName.text, communicator, handle, [&](VirtualRank&, Communicator& c, Schedule* s) {
        const std::size_t bytes = in_place(in) ? 0 : bytes_of(Type(in_type), in_count);
        add_allgather(s, c, in, bytes, even_parts(c, out, out_count, Type(out_type)));
      });
}
template <Name kName, class Count>
int allgather(const void* in, Count in_count, MPI_Datatype in_type, void* out, Count out_count,
              MPI_Datatype out_type, MPI_Comm communicator) {
  return iallgather<kName>(in, in_count, in_type, out, out_count, out_type, communicator, nullptr);
}
template <Name kName, class Count, class Displacement>
int iallgatherv(const void* in, Count in_count, MPI_Datatype in_type, void* out,
                const Count* counts, const Displacement* displacements, MPI_Datatype out_type,
                MPI_Comm communicator, MPI_Request* handle) {
  return collective(
      kName.text, communicator, handle, [&](VirtualRank&, Communicator& c, Schedule* s) {
        const std::size_t bytes = in_place(in) ? 0 : bytes_of(Type(in_type), in_count);
        add_allgather(s, c, in, bytes, uneven_parts(c, out, counts, displacements, Type(out_type)));
      });
}
template <Name kName, class Count, class Displacement>
int allgatherv(const void* in, Count in_count, MPI_Datatype in_type, void* out, const Count* counts,
               const Displacement* displacements, MPI_Datatype out_type, MPI_Comm communicator) {
  return iallgatherv<kName>(in, in_count, in_type, out, counts, displacements, out_type,
                            communicator, nullptr);
}

template <Name kName, class Count>
int ialltoall(const void* in, Count in_count, MPI_Datatype in_type, void* out, Count out_count,
              MPI_Datatype out_type, MPI_Comm communicator, MPI_Request* handle) {
  return collective(kName.text, communicator, handle,
                    [&](VirtualRank&, Communicator& c, Schedule* s) {
                      const Parts into = even_parts(c, out, out_count, Type(out_type));
                      const Parts from = in_place(in) ? copy_parts(s, into)
                                                      : even_parts(c, in, in_count, Type(in_type));
                      add_alltoall(s, c, from, into);
                    });
}
template <Name kName, class Count>
int alltoall(const void* in, Count in_count, MPI_Datatype in_type, void* out, Count out_count,
             MPI_Datatype out_type, MPI_Comm communicator) {
  return ialltoall<kName>(in, in_count, in_type, out, out_count, out_type, communicator, nullptr);
}
template <Name kName, class Count, class Displacement>
int ialltoallv(const void* in, const Count* in_counts, const Displacement* in_displacements,
               MPI_Datatype in_type, void* out, const Count* out_counts,
               const Displacement* out_displacements, MPI_Datatype out_type, MPI_Comm communicator,
               MPI_Request* handle) {
  return collective(
      kName.text, communicator, handle, [&](VirtualRank&, Communicator& c, Schedule* s) {
        const Parts into = uneven_parts(c, out, out_counts, out_displacements, Type(out_type));
        const Parts from = in_place(in)
                               ? copy_parts(s, into)
                               : uneven_parts(c, in, in_counts, in_displacements, Type(in_type));
        add_alltoall(s, c, from, into);
      });
}
template <Name kName, class Count, class Displacement>
int alltoallv(const void* in, const Count* in_counts, const Displacement* in_displacements,
              MPI_Datatype in_type, void* out, const Count* out_counts,
              const Displacement* out_displacements, MPI_Datatype out_type, MPI_Comm communicator) {
  return ialltoallv<kName>(in, in_counts, in_displacements, in_type, out, out_counts,
                           out_displacements, out_type, communicator, nullptr);
}

int make_op(MPI_User_function* function, int commutes, MPI_Op* handle) {
  return call("MPI_Op_create", MPI_COMM_WORLD, [&](VirtualRank& me) {
    *handle = me.ops.add(std::make_unique<UserOp>(UserOp{function, commutes != 0}));
  });
}
int free_op(MPI_Op* handle) {
  return call("MPI_Op_free", MPI_COMM_WORLD, [&](VirtualRank& me) {
    if (me.ops.remove(*handle) == nullptr) {
      throw Failure(MPI_ERR_OP, text("0x%08x is no operation that the program made",
                                     static_cast<unsigned>(*handle)));
    }
    *handle = MPI_OP_NULL;
  });
}
int op_commutes(MPI_Op handle, int* flag) {
  return call("MPI_Op_commutative", MPI_COMM_WORLD, [&](VirtualRank& me) {
    const UserOp* own = me.ops.find(handle);
    *flag = own == nullptr || own->commutes ? 1 : 0;
  });
}

}  // namespace

// With displacements of int, and of MPI_Aint.
#define ROAM_BOTH_V(kName, kFunction)                    \
  add_call(kName, &kFunction<kName, int, int>);          \
  add_call(kName "_c", &kFunction<kName "_c", MPI_Count, MPI_Aint>)

void add_collective_calls() {
  add_call("MPI_Barrier", &barrier);
  add_call("MPI_Ibarrier", &ibarrier);
  ROAM_BOTH("MPI_Bcast", broadcast);
  ROAM_BOTH("MPI_Ibcast", ibroadcast);
  ROAM_BOTH("MPI_Reduce", reduce);
  ROAM_BOTH("MPI_Ireduce", ireduce);
  ROAM_BOTH("MPI_Allreduce", allreduce);
  ROAM_BOTH("MPI_Iallreduce", iallreduce);
  ROAM_BOTH("MPI_Scan", scan, false);
  ROAM_BOTH("MPI_Iscan", iscan, false);
  ROAM_BOTH("MPI_Exscan", scan, true);
  ROAM_BOTH("MPI_Iexscan", iscan, true);
  ROAM_BOTH("MPI_Reduce_scatter", reduce_scatter);
  ROAM_BOTH("MPI_Ireduce_scatter", ireduce_scatter);
  ROAM_BOTH("MPI_Reduce_scatter_block", reduce_scatter_block);
  ROAM_BOTH("MPI_Ireduce_scatter_block", ireduce_scatter_block);
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
  add_call("MPI_Op_create", &make_op);
  add_call("MPI_Op_free", &free_op);
  add_call("MPI_Op_commutative", &op_commutes);
}

}  // namespace roam::mpi
