#include "mpi/calls/world_collectives.h"

#include <cstring>
#include <new>

#include "base/float_modes.h"
#include "mpi/datatype/operation.h"
#include "runtime/api/member_collectives.h"
#include "runtime/api/member_messages.h"

namespace roam::mpi {
namespace {

using detail::CollectiveCall;
using detail::CollectiveKind;

detail::RequestState wait_for_all(VirtualRank& me, const CollectiveCall& call) {
  me.begin_wait();
  detail::RequestState request;
  runtime::start_collective(&request, call);
  me.wait_on([&] { return request.done; });
  return request;
}

// Members must agree on the root, which these collectives have not: so they are refused where they
// call those of different communicators at once.
int sign_of(const Communicator& c) {
  return static_cast<int>((c.context * 0x9E3779B97F4A7C15) >> 33);
}

void take_part(VirtualRank& me, const CollectiveCall& call) {
  runtime::follow_verdict(wait_for_all(me, call));
}

// Where parts are combined is chance: on the stack of a member or of its rank, or on another rank.
struct Combination {
  OperationLoop loop;
  FloatModes modes;  // of a member
};
// `from` are those of a higher index: the standard's operations commute.
void combine(const void* op, void* into, const void* from, std::size_t count) {
  Combination given;
  std::memcpy(&given, op, sizeof given);
  const FloatModes::Scope modes(given.modes);
  given.loop(from, into, static_cast<MPI_Count>(count));
}

}  // namespace

bool is_of_all(const VirtualRank& me, const Communicator& c) {
  return !c.is_inter() && c.group.is_of_first(me.count());
}

void barrier_of_all(VirtualRank& me, const Communicator& c) {
  take_part(me, {.kind = CollectiveKind::kBarrier, .root = sign_of(c), .blocking = true});
}

bool is_short_reduction(const Reduction& op, const Type& type, MPI_Count count) {
  return op.loop() != nullptr && type.span(count) <= kMostOfAll;
}

void allreduce_of_all(VirtualRank& me, const Communicator& c, const void* in, void* out,
                      MPI_Count count, const Type& type, const Reduction& op) {
  const std::size_t bytes = type.span(count);
  CollectiveCall call{.kind = CollectiveKind::kAllreduce,
                      .root = sign_of(c),
                      .in = in == MPI_IN_PLACE ? out : in,
                      .out = out,
                      .bytes = bytes,
                      .count = static_cast<std::size_t>(count),
                      .combine = &combine,
                      .blocking = true};
  const Combination given{op.loop(), FloatModes::now()};
  static_assert(sizeof given <= sizeof call.op);
  std::memcpy(call.op, &given, sizeof given);
  if (type.bytes(count) == bytes && runtime::travels(out)) return take_part(me, call);
  // Only the elements themselves are changed in the program's buffer, and those of a thread_local
  // variable by its virtual rank.
  alignas(16) char result[kMostOfAll];
  char packed[kMostOfAll];
  call.out = result;
  take_part(me, call);
  type.pack(result, count, packed);
  type.unpack(packed, type.bytes(count), out, count);
}

// Nothing is answered while members balance: those that others wait for on their way here come
// first.
int balance_of_all(VirtualRank& me) {
  wait_for_all(me, {.kind = CollectiveKind::kBarrier, .blocking = true});
  return runtime::balance_members();
}

}  // namespace roam::mpi
