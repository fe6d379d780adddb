// Intercommunicators (chapter 6.6 of the standard).

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/text.h"
#include "mpi/calls/call.h"
#include "mpi/calls/communicators.h"

namespace roam::mpi {
namespace {

const Communicator& inter(VirtualRank& me, MPI_Comm handle) {
  const Communicator& c = me.communicator(handle);
  if (!c.is_inter()) throw CallError(MPI_ERR_COMM, "it is no intercommunicator");
  return c;
}

int test_inter(MPI_Comm handle, int* flag) {
  return call("MPI_Comm_test_inter", handle, needs(flag),
              [&](VirtualRank& me) { *flag = me.communicator(handle).is_inter() ? 1 : 0; });
}
int remote_size(MPI_Comm handle, int* size) {
  return call("MPI_Comm_remote_size", handle, needs(size),
              [&](VirtualRank& me) { *size = inter(me, handle).remote->size(); });
}
int remote_group(MPI_Comm handle, MPI_Group* group) {
  return call("MPI_Comm_remote_group", handle, needs(group),
              [&](VirtualRank& me) { *group = me.add(*inter(me, handle).remote); });
}

// The remote leader is a rank of `between`, which only the local leader has to know.
int create(MPI_Comm local, int local_leader, MPI_Comm between, int remote_leader, int tag,
           MPI_Comm* made) {
  return call("MPI_Intercomm_create", local, needs(made), [&](VirtualRank& me) {
    *made = MPI_COMM_NULL;
    Communicator& own = me.communicator(local);
    if (own.is_inter())
      throw CallError(MPI_ERR_COMM, "the local communicator is an intercommunicator");
    *made = connect_groups(me, own, local_leader, [&] {
      const Communicator& b = me.communicator(between);
      if (remote_leader < 0 || remote_leader >= b.peers().size()) {
        throw CallError(MPI_ERR_RANK,
                        text("the remote leader is rank %d; the communicator between has 0 to %d",
                             remote_leader, b.peers().size() - 1));
      }
      if (b.peer(remote_leader) == me.number())
        throw CallError(MPI_ERR_RANK, "the remote leader is the local leader itself");
      return OtherLeader{b.peer(remote_leader), b.context + kCollectiveContext, tag_of_group(tag)};
    });
  });
}

constexpr int kDisagree = -1;
// What all members of this virtual rank's group say.
int agreed(VirtualRank& me, Communicator& c, int mine) {
  const std::vector<int> all = exchange(me, c, mine);
  return std::all_of(all.begin(), all.end(), [&](int one) { return one == all[0]; }) ? all[0]
                                                                                     : kDisagree;
}

// The group whose members say `high` comes behind; if both say the same, that of the higher first
// member.
int merge(MPI_Comm handle, int high, MPI_Comm* made) {
  return call("MPI_Intercomm_merge", handle, needs(made), [&](VirtualRank& me) {
    *made = MPI_COMM_NULL;
    inter(me, handle);
    Communicator& c = me.communicator(handle);
    int mine = agreed(me, c, high != 0 ? 1 : 0);
    const std::vector<char> bytes =
        exchange_with_remote(me, c, {reinterpret_cast<char*>(&mine), sizeof mine});
    int theirs = 0;
    std::memcpy(&theirs, bytes.data(), sizeof theirs);
    if (mine == kDisagree || theirs == kDisagree)
      throw CallError(MPI_ERR_ARG, "members of one group disagree about which one is high");
    const std::uint64_t context = new_context(me, c);
    const bool behind = mine != theirs ? mine != 0 : c.member(0) > c.peer(0);
    *made = make_communicator(me, c, context,
                              behind ? c.remote->join(c.group) : c.group.join(*c.remote));
  });
}

}  // namespace

void add_intercommunicator_calls() {
  add_call("MPI_Comm_test_inter", &test_inter);
  add_call("MPI_Comm_remote_size", &remote_size);
  add_call("MPI_Comm_remote_group", &remote_group);
  add_call("MPI_Intercomm_create", &create);
  add_call("MPI_Intercomm_merge", &merge);
}

}  // namespace roam::mpi
