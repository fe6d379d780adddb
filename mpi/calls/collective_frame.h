#ifndef ROAM_MPI_CALLS_COLLECTIVE_FRAME_H_
#define ROAM_MPI_CALLS_COLLECTIVE_FRAME_H_

#include <cstddef>
#include <memory>
#include <tuple>
#include <utility>

#include "mpi/calls/call.h"
#include "mpi/calls/collectives.h"
#include "mpi/calls/messages.h"

namespace roam::mpi {

// The schedule of the next collective, as `make` has it. What `make` refuses has no number, as this
// member may be the only one who has called it; but where others do not need this member to end
// what they have called, it has one, from keep_number() on: later ones would get their messages.
template <class Make>
std::unique_ptr<Schedule> make_schedule(Communicator& c, CollectiveFamily family, bool persistent,
                                        Make make) {
  std::unique_ptr<Schedule> schedule =
      persistent ? begin_persistent_collective(c, family) : begin_collective(c, family);
  try {
    make(schedule.get());
  } catch (...) {
    if (!schedule->keeps_number()) {
      CollectiveNumbers& numbers = persistent ? c.persistent_collectives : c.collectives;
      --numbers[static_cast<std::size_t>(family)];
    }
    throw;
  }
  return schedule;
}

// Where the handle of a blocking collective's request would go, which has none.
inline MPI_Request no_handle = MPI_REQUEST_NULL;

// Makes the schedule of a collective and waits for it; or, given where its request's handle goes,
// leaves it under way, or to be started (see Persistent).
template <class Make>
int collective(const char* name, CollectiveFamily family, MPI_Comm communicator,
               MPI_Request* handle, Make make) {
  const bool persistent = std::exchange(VirtualRank::running().makes_persistent, false);
  return call(name, communicator, needs(handle), [&](VirtualRank& me) {
    Communicator& c = me.communicator(communicator);
    if (persistent) me.info_or_none(me.persistent_info);
    std::unique_ptr<Schedule> schedule =
        make_schedule(c, family, persistent, [&](Schedule* s) { make(me, c, s); });
    if (handle == &no_handle) return wait_for(me, schedule.get());
    auto request = std::make_unique<Request>();
    request->kind = Request::Kind::kCollective;
    request->communicator = communicator;
    request->schedule = std::move(schedule);
    request->persistent = persistent;
    request->started = !persistent;
    request->done = persistent;
    if (!advance(request.get())) me.watch(request.get());
    *handle = me.requests.add(std::move(request));
  });
}

// A function that leaves a collective under way, as one that makes a persistent request of it: it
// takes an info before the request.
template <auto kFunction, class Indexes, class... All>
struct Persistent;
template <auto kFunction, std::size_t... kIndexes, class... All>
struct Persistent<kFunction, std::index_sequence<kIndexes...>, All...> {
  static int make(std::tuple_element_t<kIndexes, std::tuple<All...>>... given, MPI_Info info,
                  MPI_Request* handle) {
    VirtualRank& me = VirtualRank::running();
    me.makes_persistent = true;
    me.persistent_info = info;
    return kFunction(given..., handle);
  }
};
template <auto kFunction, class... All>
void add_persistent_call(const char* name, int (*)(All...)) {
  add_call(name,
           &Persistent<kFunction, std::make_index_sequence<sizeof...(All) - 1>, All...>::make);
}
template <auto kFunction>
void add_persistent_call(const char* name) {
  add_persistent_call<kFunction>(name, kFunction);
}
// With counts of both kinds, as ROAM_BOTH and ROAM_BOTH_V.
#define ROAM_PERSISTENT(kName, kFunction, ...)                                   \
  add_persistent_call<&kFunction<kName, __VA_ARGS__ __VA_OPT__(, ) int>>(kName); \
  add_persistent_call<&kFunction<kName "_c", __VA_ARGS__ __VA_OPT__(, ) MPI_Count>>(kName "_c")
#define ROAM_PERSISTENT_V(kName, kFunction)                \
  add_persistent_call<&kFunction<kName, int, int>>(kName); \
  add_persistent_call<&kFunction<kName "_c", MPI_Count, MPI_Aint>>(kName "_c")

// Of a collective with a root: who this member is. In an intercommunicator the members of the
// root's group say MPI_ROOT or MPI_PROC_NULL, and the others the root's rank there.
enum class Role { kRoot, kOther, kNone };
// CallError(MPI_ERR_ROOT): there is no such rank.
Role role_of(const Communicator& c, int root);
// CallError(MPI_ERR_COMM): it is an intercommunicator.
void check_intra(const Communicator& c);

inline bool in_place(const void* data) { return data == MPI_IN_PLACE; }
// In an intercommunicator it is no buffer: nobody's own part is among those that are received.
inline bool in_place(const Communicator& c, const void* data) {
  return in_place(data) && !c.is_inter();
}

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_COLLECTIVE_FRAME_H_
