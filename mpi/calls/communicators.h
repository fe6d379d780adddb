#ifndef ROAM_MPI_CALLS_COMMUNICATORS_H_
#define ROAM_MPI_CALLS_COMMUNICATORS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include "mpi/calls/collectives.h"
#include "mpi/calls/virtual_rank.h"

// How communicators are made. All but make_communicator() are called by all members, and suspend.
namespace roam::mpi {

// A context for a communicator of members of `c`, the same for all.
std::uint64_t new_context(VirtualRank& me, Communicator& c);
// The same, when the schedule has been advanced so far.
void add_context(VirtualRank& me, Schedule* s, const Communicator& c, std::uint64_t* context);

// A communicator of `group` with what `from` hands on, its error handler; MPI_COMM_NULL: this
// virtual rank is no member. With `remote` an intercommunicator.
MPI_Comm make_communicator(VirtualRank& me, const Communicator& from, std::uint64_t context,
                           Group group, const Group* remote = nullptr);

// The other side of an intercommunicator that is made: the members of the two groups have a leader
// each, who talk to each other in a context and with a tag that only they use now.
struct OtherLeader {
  int world = 0;  // its number; kNobody: there is no other group
  std::uint64_t context = 0;
  int tag = 0;

  static constexpr int kNobody = -1;
};
// An intercommunicator of the group of `c` and another one; MPI_COMM_NULL if there is none.
// `other()` is asked for at the leader. CallError(MPI_ERR_RANK, MPI_ERR_COMM).
MPI_Comm connect_groups(VirtualRank& me, Communicator& c, int local_leader,
                        const std::function<OtherLeader()>& other);

// Of an intercommunicator: what rank 0 of the other group has given, everywhere in this one.
std::vector<char> exchange_with_remote(VirtualRank& me, Communicator& c, const Bytes& out);

// The tag, in a context of collectives, of what some members do with a tag that the program gave.
// CallError(MPI_ERR_TAG).
int tag_of_group(int tag);

// Those with the same color, in the order of their keys, then their ranks. Any number but
// MPI_UNDEFINED is a color, as MPICH has it.
MPI_Comm split_communicator(VirtualRank& me, Communicator& c, int color, int key);

// What `each` bytes of every member become at rank 0, by `work(those of all)`, for all. Suspends.
std::vector<char> agree_on_bytes(VirtualRank& me, Communicator& c, const void* mine,
                                 std::size_t each, const std::function<void(char*)>& work);
// What each has given, by rank. T is plain data. Suspends.
template <class T>
std::vector<T> exchange(VirtualRank& me, Communicator& c, const T& mine) {
  static_assert(std::is_trivially_copyable_v<T>);
  const std::vector<char> bytes = agree_on_bytes(me, c, &mine, sizeof mine, [](char*) {});
  std::vector<T> all(static_cast<std::size_t>(c.size()));
  std::memcpy(all.data(), bytes.data(), bytes.size());
  return all;
}

// Bytes for each member, of any length: those that each has sent to this one, by rank.
std::vector<std::vector<char>> exchange_parts(VirtualRank& me, Communicator& c, const Parts& out);
template <class BytesFor>
std::vector<std::vector<char>> exchange_bytes(VirtualRank& me, Communicator& c,
                                              BytesFor bytes_for) {
  Parts out;
  for (int i = 0; i < c.size(); ++i) out.push_back(bytes_for(i));
  return exchange_parts(me, c, out);
}

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_COMMUNICATORS_H_
