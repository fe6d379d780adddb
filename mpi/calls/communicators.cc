#include "mpi/calls/communicators.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "base/text.h"
#include "mpi/calls/messages.h"

namespace roam::mpi {
namespace {

struct Choice {
  int color, key, rank;
};

}  // namespace

std::vector<char> agree_on_bytes(VirtualRank& me, Communicator& c, const void* mine,
                                 std::size_t each, const std::function<void(char*)>& work) {
  std::vector<char> all(static_cast<std::size_t>(c.size()) * each);
  const std::unique_ptr<Schedule> s = begin_collective(c);
  if (c.rank != 0) s->send(c.member(0), mine, each);
  for (int i = 1; c.rank == 0 && i < c.size(); ++i)
    s->receive(c.member(i), all.data() + static_cast<std::size_t>(i) * each, each);
  if (c.rank == 0) {
    std::memcpy(all.data(), mine, each);
    s->then([&] { work(all.data()); });
  }
  s->end_round();
  add_broadcast(s.get(), c, 0, all.data(), all.size());
  wait_for(me, s.get());
  return all;
}

// Rank 0 makes it; of an intercommunicator that of the group whose rank 0 has the lower number.
void add_context(VirtualRank& me, Schedule* s, const Communicator& c, std::uint64_t* context) {
  const Bytes bytes{reinterpret_cast<char*>(context), sizeof *context};
  if (c.rank == 0) {
    const bool makes = !c.is_inter() || c.member(0) < c.peer(0);
    if (makes) *context = me.make_context();
    if (c.is_inter() && makes) s->send(c.peer(0), bytes.begin, bytes.count);
    if (!makes) s->receive(c.peer(0), bytes.begin, bytes.count);
    s->end_round();
  }
  add_broadcast(s, c, 0, bytes.begin, bytes.count);
}

std::uint64_t new_context(VirtualRank& me, Communicator& c) {
  const std::unique_ptr<Schedule> schedule = begin_collective(c);
  std::uint64_t context = 0;
  add_context(me, schedule.get(), c, &context);
  wait_for(me, schedule.get());
  return context;
}

int tag_of_group(int tag) {
  if (tag < 0 || tag > kMostTag)
    throw CallError(MPI_ERR_TAG, text("the tag is %d; from 0 to %d is allowed", tag, kMostTag));
  return kMostTag + 1 + tag;
}

std::vector<char> exchange_with_remote(VirtualRank& me, Communicator& c, const Bytes& out) {
  const std::unique_ptr<Schedule> lengths = begin_collective(c), bytes = begin_collective(c);
  std::uint64_t length = 0, mine = out.count;
  const Bytes in{reinterpret_cast<char*>(&length), sizeof length};
  add_exchange_of_first(lengths.get(), c, {reinterpret_cast<char*>(&mine), sizeof mine}, in);
  add_broadcast(lengths.get(), c, 0, in.begin, in.count);
  wait_for(me, lengths.get());
  std::vector<char> remote(length);
  add_exchange_of_first(bytes.get(), c, out, {remote.data(), remote.size()});
  add_broadcast(bytes.get(), c, 0, remote.data(), remote.size());
  wait_for(me, bytes.get());
  return remote;
}

MPI_Comm make_communicator(VirtualRank& me, const Communicator& from, std::uint64_t context,
                           Group group, const Group* remote) {
  const int rank = group.rank_of(me.number());
  if (rank == MPI_UNDEFINED) return MPI_COMM_NULL;
  auto made = std::make_unique<Communicator>();
  made->context = context;
  made->group = std::move(group);
  made->rank = rank;
  made->errhandler = from.errhandler;
  if (remote != nullptr) made->remote = std::make_unique<Group>(*remote);
  return me.add(std::move(made));
}

namespace {

// Those of a color in the order of their keys, by their numbers.
Group chosen_of(const Group& group, std::vector<Choice> all, int color) {
  std::erase_if(all, [color](const Choice& other) { return other.color != color; });
  std::stable_sort(all.begin(), all.end(),
                   [](const Choice& a, const Choice& b) { return a.key < b.key; });
  std::vector<int> members;
  for (const Choice& other : all) members.push_back(group.world_of(other.rank));
  return Group(std::move(members));
}

}  // namespace

MPI_Comm split_communicator(VirtualRank& me, Communicator& c, int color, int key) {
  std::vector<Choice> chosen = exchange(me, c, Choice{color, key, c.rank});
  Group remote;
  if (c.is_inter()) {
    const std::vector<char> bytes = exchange_with_remote(
        me, c, {reinterpret_cast<char*>(chosen.data()), chosen.size() * sizeof(Choice)});
    std::vector<Choice> theirs(bytes.size() / sizeof(Choice));
    std::memcpy(theirs.data(), bytes.data(), bytes.size());
    remote = chosen_of(*c.remote, std::move(theirs), color);
  }
  const std::uint64_t context = new_context(me, c);
  if (color == MPI_UNDEFINED || (c.is_inter() && remote.size() == 0)) return MPI_COMM_NULL;
  return make_communicator(me, c, context, chosen_of(c.group, std::move(chosen), color),
                           c.is_inter() ? &remote : nullptr);
}

std::vector<std::vector<char>> exchange_parts(VirtualRank& me, Communicator& c, const Parts& out) {
  const auto n = static_cast<std::size_t>(c.size());
  const auto own = static_cast<std::size_t>(c.rank);
  std::vector<std::uint64_t> mine(n), theirs(n);
  std::vector<std::vector<char>> in(n);
  const std::unique_ptr<Schedule> lengths = begin_collective(c), bytes = begin_collective(c);
  for (std::size_t i = 0; i < n; ++i) {
    mine[i] = out[i].count;
    if (i == own) continue;
    lengths->receive(c.member(static_cast<int>(i)), &theirs[i], sizeof theirs[i]);
    lengths->send(c.member(static_cast<int>(i)), &mine[i], sizeof mine[i]);
  }
  lengths->end_round();
  wait_for(me, lengths.get());
  for (std::size_t i = 0; i < n; ++i) {
    if (i == own) {
      in[i].assign(out[i].begin, out[i].begin + out[i].count);
      continue;
    }
    in[i].resize(theirs[i]);
    if (theirs[i] != 0) bytes->receive(c.member(static_cast<int>(i)), in[i].data(), in[i].size());
    if (out[i].count != 0) bytes->send(c.member(static_cast<int>(i)), out[i].begin, out[i].count);
  }
  bytes->end_round();
  wait_for(me, bytes.get());
  return in;
}

namespace {

struct Head {
  int size, first;
  std::uint64_t context;
  int error;  // why its leader cannot find the other one
};

// The leaders tell each other who is in their groups, and which context it is to be.
void meet(VirtualRank& me, const OtherLeader& leader, const std::vector<int>& members, Head* mine,
          Head* theirs, std::vector<int>* others) {
  mine->context = me.make_context();
  Schedule heads(leader.context, leader.tag);
  heads.receive(leader.world, theirs, sizeof *theirs);
  heads.send(leader.world, mine, sizeof *mine);
  heads.end_round();
  wait_for(me, &heads);
  others->resize(static_cast<std::size_t>(theirs->size));
  Schedule groups(leader.context, leader.tag);
  groups.receive(leader.world, others->data(), others->size() * sizeof(int));
  groups.send(leader.world, members.data(), members.size() * sizeof(int));
  groups.end_round();
  wait_for(me, &groups);
}

}  // namespace

// What the leader is refused, its group is told.
MPI_Comm connect_groups(VirtualRank& me, Communicator& c, int local_leader,
                        const std::function<OtherLeader()>& other) {
  if (local_leader < 0 || local_leader >= c.size()) {
    throw CallError(MPI_ERR_RANK, text("the local leader is rank %d; the communicator has 0 to %d",
                                       local_leader, c.size() - 1));
  }
  Head mine{c.size(), c.member(0), 0, MPI_SUCCESS}, theirs{};
  std::vector<int> members, others;
  for (int i = 0; i < c.size(); ++i) members.push_back(c.member(i));
  std::unique_ptr<CallError> failure;
  if (c.rank == local_leader) {
    try {
      if (const OtherLeader leader = other(); leader.world != OtherLeader::kNobody)
        meet(me, leader, members, &mine, &theirs, &others);
    } catch (const CallError& f) {
      failure = std::make_unique<CallError>(f);
      mine.error = f.code;
    }
  }
  const std::unique_ptr<Schedule> heads = begin_collective(c), groups = begin_collective(c);
  add_broadcast(heads.get(), c, local_leader, &mine, sizeof mine);
  add_broadcast(heads.get(), c, local_leader, &theirs, sizeof theirs);
  wait_for(me, heads.get());
  if (failure != nullptr) throw CallError(*failure);
  if (mine.error != MPI_SUCCESS) {
    throw CallError(
        mine.error,
        text("rank %d, which is the local leader, cannot find the other one", local_leader));
  }
  if (theirs.size == 0) return MPI_COMM_NULL;
  others.resize(static_cast<std::size_t>(theirs.size));
  add_broadcast(groups.get(), c, local_leader, others.data(), others.size() * sizeof(int));
  wait_for(me, groups.get());
  const Group remote(std::move(others));
  if (remote.rank_of(me.number()) != MPI_UNDEFINED)
    throw CallError(MPI_ERR_COMM, "this virtual rank is in both groups, which must not overlap");
  const std::uint64_t context = mine.first < theirs.first ? mine.context : theirs.context;
  return make_communicator(me, c, context, c.group, &remote);
}

}  // namespace roam::mpi
