#ifndef ROAM_MPI_CALLS_COMMUNICATOR_H_
#define ROAM_MPI_CALLS_COMMUNICATOR_H_

#include <mpi.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "mpi/calls/attributes.h"
#include "mpi/calls/group.h"
#include "mpi/calls/info.h"
#include "mpi/calls/topology.h"

namespace roam::mpi {

// Collectives of a communicator are told apart by their number among those of their family, so that
// members who disagree about how many of one there were agree about all others.
enum class CollectiveFamily : std::uint8_t {
  kOwn,  // what communicators, files and windows are made by
  kBarrier,
  kBroadcast,
  kGather,
  kScatter,
  kAllgather,
  kAlltoall,
  kReduce,
  kAllreduce,
  kScan,
  kReduceScatter,
  kNeighbours,
  kCount
};
using CollectiveNumbers =
    std::array<std::uint32_t, static_cast<std::size_t>(CollectiveFamily::kCount)>;

// What a communicator is to one of its members. Its messages have a context that no other
// communicator's have, those of its collectives others behind it.
struct Communicator {
  std::uint64_t context = 0;
  Group group;
  int rank = 0;  // of this virtual rank in `group`
  MPI_Comm handle = MPI_COMM_NULL;
  MPI_Errhandler errhandler = MPI_ERRORS_ARE_FATAL;
  std::string name;
  Attributes attributes;
  Info info;
  std::unique_ptr<Topology> topology;  // null: none
  // Of collectives, so that several can be under way: the number of the next one of each family.
  CollectiveNumbers collectives{};
  CollectiveNumbers persistent_collectives{};

  // Of an intercommunicator, whose other group this is; null: it has one group only.
  std::unique_ptr<Group> remote;

  int size() const { return group.size(); }
  bool is_inter() const { return remote != nullptr; }
  // With whom messages are exchanged.
  const Group& peers() const { return is_inter() ? *remote : group; }
  // The number of a member, in MPI_COMM_WORLD; of a peer.
  int member(int of_rank) const { return group.world_of(of_rank); }
  int peer(int of_rank) const { return peers().world_of(of_rank); }
};

// Contexts that a communicator takes, from that of its messages on.
inline constexpr std::uint64_t kContextsEach = 4;
inline constexpr std::uint64_t kCollectiveContext = 1;
inline constexpr std::uint64_t kPersistentContext = 2;   // of persistent collectives
inline constexpr std::uint64_t kPartitionedContext = 3;  // where partitioned ones find each other
// Contexts of everybody. 0 is that of roam/team.h, 1 that of acknowledgements; those from 2^32 on
// have the number of who made them, and the upper half is for messages that MPI_Mprobe has matched.
inline constexpr std::uint64_t kWorldContext = kContextsEach;
inline constexpr std::uint64_t kSelfContext = 2 * kContextsEach;
inline constexpr std::uint64_t kFromGroupsContext =
    3 * kContextsEach;  // MPI_Comm_create_from_group

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_COMMUNICATOR_H_
