// Reductions (chapter 5.9 to 5.11 of the standard), blocking and not, and operations.
//
// A part is combined as it lies in a buffer, gaps and all: operations of the program's expect that.

#include <cstring>
#include <memory>

#include "base/text.h"
#include "mpi/calls/buffers.h"
#include "mpi/calls/collective_frame.h"
#include "mpi/calls/world_collectives.h"
#include "mpi/datatype/operation.h"

namespace roam::mpi {
namespace {

// CallError(MPI_ERR_OP): it is no operation.
void check_op(VirtualRank& me, MPI_Op handle) {
  if (me.ops.find(handle) == nullptr && !is_predefined_operation(handle))
    throw CallError(MPI_ERR_OP, text("0x%08x is no operation", static_cast<unsigned>(handle)));
}

// CallError(MPI_ERR_BUFFER): a buffer is given for both, and has any elements. One type is of both,
// unlike in gathers and their kin.
void check_apart(const void* in, const void* out, bool has_any) {
  if (in == out && in != nullptr && has_any)
    throw CallError(MPI_ERR_BUFFER, "what is sent and what is received are in the same place");
}

// CallError(MPI_ERR_BUFFER): what this member gives, or gets if it does, is nowhere, or both are in
// the same place without MPI_IN_PLACE.
void check_buffers(const Communicator& c, const void* in, const void* out, bool gets,
                   MPI_Count count, const Type& type) {
  const bool stays = gets && in_place(c, in);
  if (!stays) type.check_buffer(in, count);
  if (!gets) return;
  type.check_buffer(out, count);
  check_apart(in, out, type.bytes(count) != 0);
}

// A copy of this member's part, which is combined in place; from `out` if it lies there.
Bytes part_of(Schedule* s, const void* in, const void* out, MPI_Count count, const Type& type,
              const Reduction& op) {
  const std::size_t span = type.span(count);
  char* part = op.room_for(s, span);
  const char* from = static_cast<const char*>(in_place(in) ? out : in);
  const MPI_Aint at = type.first_byte(count);
  s->at_begin([=] {
    if (span != 0) std::memcpy(part, from + at, span);
  });
  return {part, span};
}

// What the other group of an intercommunicator has combined, at rank 0; else what this one has.
Bytes exchanged(Schedule* s, const Communicator& c, Bytes part) {
  if (!c.is_inter()) return part;
  const Bytes theirs{s->scratch(part.count), part.count};
  add_exchange_of_first(s, c, part, theirs);
  return theirs;
}

// Only the elements themselves are changed in the program's buffer.
void put_result(Schedule* s, void* to, Bytes part, MPI_Count count, const Type& type) {
  s->then([=] {
    if (type.bytes(count) == 0) return;
    const char* buffer = type.buffer_in(part.begin, count);
    const std::size_t bytes = type.bytes(count);
    if (char* row = type.in_a_row(to, count)) {
      std::memcpy(row, part.begin, bytes);
      return;
    }
    const std::unique_ptr<char[]> packed(new char[bytes]);
    type.pack(buffer, count, packed.get());
    type.unpack(packed.get(), bytes, to, count);
  });
  s->end_round();
}

// ---- reductions ----

int reduce_of(const char* name, const void* in, void* out, MPI_Count count, MPI_Datatype datatype,
              MPI_Op operation, int root, MPI_Comm communicator, MPI_Request* handle) {
  const auto make = [&](VirtualRank& me, Communicator& c, Schedule* s) {
    const Role role = role_of(c, root);
    if (role == Role::kNone) return;
    check_op(me, operation);
    s->keep_number();
    const Type type(me, datatype);
    const Reduction op(me, operation, type);
    if (c.is_inter() && role == Role::kRoot) {
      type.check_buffer(out, count);
      const Bytes theirs{s->scratch(type.span(count)), type.span(count)};
      s->receive(c.peer(0), theirs.begin, theirs.count);
      s->end_round();
      return put_result(s, out, theirs, count, type);
    }
    check_buffers(c, in, out, role == Role::kRoot, count, type);
    const Bytes part = part_of(s, in, out, count, type, op);
    add_reduction_to_first(s, c, part, count, op);
    if (c.is_inter()) {
      if (c.rank == 0) s->send(c.peer(root), part.begin, part.count);
      s->end_round();
      return;
    }
    if (root != 0 && c.rank == 0) {
      s->send(c.member(root), part.begin, part.count);
      s->end_round();
    } else if (root != 0 && c.rank == root) {
      s->receive(c.member(0), part.begin, part.count);
      s->end_round();
    }
    if (c.rank == root) put_result(s, out, part, count, type);
  };
  return collective(name, CollectiveFamily::kReduce, communicator, handle, make);
}
template <Name kName, class Count>
int reduce(const void* in, void* out, Count count, MPI_Datatype type, MPI_Op op, int root,
           MPI_Comm communicator) {
  return reduce_of(kName.text, in, out, count, type, op, root, communicator, &no_handle);
}
template <Name kName, class Count>
int ireduce(const void* in, void* out, Count count, MPI_Datatype type, MPI_Op op, int root,
            MPI_Comm communicator, MPI_Request* handle) {
  return reduce_of(kName.text, in, out, count, type, op, root, communicator, handle);
}

void add_allreduce(Schedule* s, Communicator& c, const void* in, void* out, MPI_Count count,
                   const Type& type, const Reduction& op) {
  const Bytes part = part_of(s, in, out, count, type, op);
  add_reduction_to_first(s, c, part, count, op);
  const Bytes result = exchanged(s, c, part);
  add_broadcast(s, c, 0, result.begin, result.count);
  put_result(s, out, result, count, type);
}
template <Name kName, class Count>
int allreduce(const void* in, void* out, Count count, MPI_Datatype datatype, MPI_Op operation,
              MPI_Comm communicator) {
  return call(kName.text, communicator, [&](VirtualRank& me) {
    Communicator& c = me.communicator(communicator);
    const Type type(me, datatype);
    const Reduction op(me, operation, type);
    check_buffers(c, in, out, true, count, type);
    if (is_of_all(me, c) && is_short_reduction(op, type, count))
      return allreduce_of_all(me, c, in, out, count, type, op);
    const std::unique_ptr<Schedule> schedule =
        make_schedule(c, CollectiveFamily::kAllreduce, false,
                      [&](Schedule* s) { add_allreduce(s, c, in, out, count, type, op); });
    wait_for(me, schedule.get());
  });
}
template <Name kName, class Count>
int iallreduce(const void* in, void* out, Count count, MPI_Datatype datatype, MPI_Op operation,
               MPI_Comm communicator, MPI_Request* handle) {
  return collective(kName.text, CollectiveFamily::kAllreduce, communicator, handle,
                    [&](VirtualRank& me, Communicator& c, Schedule* s) {
                      const Type type(me, datatype);
                      check_buffers(c, in, out, true, count, type);
                      add_allreduce(s, c, in, out, count, type, Reduction(me, operation, type));
                    });
}

int scan_of(const char* name, const void* in, void* out, MPI_Count count, MPI_Datatype datatype,
            MPI_Op operation, MPI_Comm communicator, bool without_own, MPI_Request* handle) {
  const auto make = [&](VirtualRank& me, Communicator& c, Schedule* s) {
    check_intra(c);
    const Type type(me, datatype);
    const Reduction op(me, operation, type);
    // Where rank 0 of an exclusive one would receive means nothing, unless its part lies there.
    const bool gets = !without_own || c.rank != 0 || in_place(in);
    check_buffers(c, in, out, gets, count, type);
    if (!gets) check_apart(in, out, type.bytes(count) != 0);
    const Bytes part = part_of(s, in, out, count, type, op);
    add_scan(s, c, part, count, op, without_own);
    if (!without_own || c.rank != 0) put_result(s, out, part, count, type);
  };
  return collective(name, CollectiveFamily::kScan, communicator, handle, make);
}
template <Name kName, bool kWithoutOwn, class Count>
int scan(const void* in, void* out, Count count, MPI_Datatype type, MPI_Op op,
         MPI_Comm communicator) {
  return scan_of(kName.text, in, out, count, type, op, communicator, kWithoutOwn, &no_handle);
}
template <Name kName, bool kWithoutOwn, class Count>
int iscan(const void* in, void* out, Count count, MPI_Datatype type, MPI_Op op,
          MPI_Comm communicator, MPI_Request* handle) {
  return scan_of(kName.text, in, out, count, type, op, communicator, kWithoutOwn, handle);
}

// Of `all` elements, `count` from the `first` on.
Bytes some_of(Bytes part, MPI_Count all, MPI_Count first, MPI_Count count, const Type& type) {
  char* buffer = type.buffer_in(part.begin, all) + first * type.extent();
  return {buffer + type.first_byte(count), type.span(count)};
}

// Where there is one count for all.
constexpr char kNoCounts = 0;
// Rank i gets counts(i) elements, those behind what lower ranks get; `given`: where they are.
template <class Counts>
int reduce_scatter_of(const char* name, const void* in, void* out, const void* given, Counts counts,
                      MPI_Datatype datatype, MPI_Op operation, MPI_Comm communicator,
                      MPI_Request* handle) {
  const auto make = [&](VirtualRank& me, Communicator& c, Schedule* s) {
    check_pointer(given);
    const Type type(me, datatype);
    const Reduction op(me, operation, type);
    MPI_Count all = 0;
    for (int i = 0; i < c.size(); ++i) {
      static_cast<void>(type.bytes(counts(i)));  // it may be refused
      all += counts(i);
    }
    type.check_buffer(in_place(c, in) ? out : in, all);
    type.check_buffer(out, counts(c.rank));
    check_apart(in, out, type.bytes(all) != 0);
    const Bytes part = part_of(s, in, out, all, type, op);
    add_reduction_to_first(s, c, part, all, op);
    const Bytes result = exchanged(s, c, part);
    const MPI_Count count = counts(c.rank);
    Bytes own = some_of(result, all, 0, count, type);
    if (c.rank == 0) {
      MPI_Count before = count;
      for (int i = 1; i < c.size(); before += counts(i++)) {
        const Bytes theirs = some_of(result, all, before, counts(i), type);
        s->send(c.member(i), theirs.begin, theirs.count);
      }
    } else {
      s->receive(c.member(0), own.begin, own.count);
    }
    s->end_round();
    put_result(s, out, own, count, type);
  };
  return collective(name, CollectiveFamily::kReduceScatter, communicator, handle, make);
}
template <Name kName, class Count>
int reduce_scatter(const void* in, void* out, const Count* counts, MPI_Datatype type, MPI_Op op,
                   MPI_Comm communicator) {
  return reduce_scatter_of(
      kName.text, in, out, counts, [=](int i) { return MPI_Count{counts[i]}; }, type, op,
      communicator, &no_handle);
}
template <Name kName, class Count>
int ireduce_scatter(const void* in, void* out, const Count* counts, MPI_Datatype type, MPI_Op op,
                    MPI_Comm communicator, MPI_Request* handle) {
  return reduce_scatter_of(
      kName.text, in, out, counts, [=](int i) { return MPI_Count{counts[i]}; }, type, op,
      communicator, handle);
}
template <Name kName, class Count>
int reduce_scatter_block(const void* in, void* out, Count count, MPI_Datatype type, MPI_Op op,
                         MPI_Comm communicator) {
  return reduce_scatter_of(
      kName.text, in, out, &kNoCounts, [=](int) { return MPI_Count{count}; }, type, op,
      communicator, &no_handle);
}
template <Name kName, class Count>
int ireduce_scatter_block(const void* in, void* out, Count count, MPI_Datatype type, MPI_Op op,
                          MPI_Comm communicator, MPI_Request* handle) {
  return reduce_scatter_of(
      kName.text, in, out, &kNoCounts, [=](int) { return MPI_Count{count}; }, type, op,
      communicator, handle);
}

// This virtual rank's alone.
template <Name kName, class Count>
int reduce_local(const void* in, void* inout, Count count, MPI_Datatype datatype,
                 MPI_Op operation) {
  return call(kName.text, MPI_COMM_WORLD, [&](VirtualRank& me) {
    const Type type(me, datatype);
    const Reduction op(me, operation, type);
    if (type.bytes(count) == 0) return;
    type.check_buffer(in, count);
    type.check_buffer(inout, count);
    check_apart(in, inout, true);
    const MPI_Aint at = type.first_byte(count);
    op.combine(static_cast<const char*>(in) + at, static_cast<char*>(inout) + at, count);
  });
}

// ---- operations ----

void check_function(bool is_there) {
  if (!is_there) throw CallError(MPI_ERR_ARG, "the function is a null pointer");
}
int make_op(MPI_User_function* function, int commutes, MPI_Op* handle) {
  return call("MPI_Op_create", MPI_COMM_WORLD, needs(handle), [&](VirtualRank& me) {
    check_function(function != nullptr);
    *handle = me.ops.add(
        std::make_unique<UserOp>(UserOp{.function = function, .commutes = commutes != 0}));
  });
}
int make_long_op(MPI_User_function_c* function, int commutes, MPI_Op* handle) {
  return call("MPI_Op_create_c", MPI_COMM_WORLD, needs(handle), [&](VirtualRank& me) {
    check_function(function != nullptr);
    *handle = me.ops.add(
        std::make_unique<UserOp>(UserOp{.long_function = function, .commutes = commutes != 0}));
  });
}
// MPICH's C++ library: the function is C++'s.
void set_op_proxy(MPI_Op handle, void (*proxy)()) {
  if (UserOp* op = VirtualRank::running().ops.find(handle))
    op->proxy = reinterpret_cast<UserOp::Proxy>(proxy);
}
int free_op(MPI_Op* handle) {
  return call("MPI_Op_free", MPI_COMM_WORLD, needs(handle), [&](VirtualRank& me) {
    if (me.ops.remove(*handle) == nullptr) {
      throw CallError(MPI_ERR_OP, text("0x%08x is no operation that the program made",
                                       static_cast<unsigned>(*handle)));
    }
    *handle = MPI_OP_NULL;
  });
}
int op_commutes(MPI_Op handle, int* flag) {
  return call("MPI_Op_commutative", MPI_COMM_WORLD, needs(flag), [&](VirtualRank& me) {
    check_op(me, handle);
    const UserOp* own = me.ops.find(handle);
    *flag = own == nullptr ? is_commutative(handle) : own->commutes;
  });
}

}  // namespace

void add_reduction_calls() {
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
  ROAM_PERSISTENT("MPI_Reduce_init", ireduce);
  ROAM_PERSISTENT("MPI_Allreduce_init", iallreduce);
  ROAM_PERSISTENT("MPI_Scan_init", iscan, false);
  ROAM_PERSISTENT("MPI_Exscan_init", iscan, true);
  ROAM_PERSISTENT("MPI_Reduce_scatter_init", ireduce_scatter);
  ROAM_PERSISTENT("MPI_Reduce_scatter_block_init", ireduce_scatter_block);
  ROAM_BOTH("MPI_Reduce_local", reduce_local);
  add_call("MPI_Op_create", &make_op);
  add_call("MPI_Op_create_c", &make_long_op);
  add_launcher_call("MPII_Op_set_cxx", &set_op_proxy);
  add_call("MPI_Op_free", &free_op);
  add_call("MPI_Op_commutative", &op_commutes);
}

}  // namespace roam::mpi
