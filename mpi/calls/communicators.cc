#include "mpi/calls/communicators.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/text.h"

namespace roam::mpi {
namespace {

void largest(const void* from, void* into, std::size_t) {
  auto* most = static_cast<std::uint32_t*>(into);
  *most = std::max(*most, *static_cast<const std::uint32_t*>(from));
}

struct Choice {
  int color, key, rank;
};

// What all members chose, by rank.
std::vector<Choice> exchange(VirtualRank& me, Communicator& c, Choice mine) {
  std::vector<Choice> all(static_cast<std::size_t>(c.size()));
  const std::unique_ptr<Schedule> s = begin_collective(c);
  if (c.rank == 0) {
    all[0] = mine;
    for (int i = 1; i < c.size(); ++i)
      s->receive(i, &all[static_cast<std::size_t>(i)], sizeof mine);
  } else {
    s->send(0, &mine, sizeof mine);
  }
  s->end_round();
  add_broadcast(s.get(), c, 0, all.data(), all.size() * sizeof mine);
  wait_for(me, s.get());
  return all;
}

}  // namespace

std::uint32_t agree_on_context(VirtualRank& me, const Communicator& c, Schedule* s) {
  const Bytes part{reinterpret_cast<char*>(&me.next_context), sizeof me.next_context};
  add_reduction_to_first(s, c, part, 1, Reduction(&largest));
  add_broadcast(s, c, 0, part.begin, part.count);
  wait_for(me, s);
  const std::uint32_t context = me.next_context;
  me.next_context += kContextsEach;
  return context;
}

std::uint32_t new_context(VirtualRank& me, Communicator& c) {
  const std::unique_ptr<Schedule> schedule = begin_collective(c);
  return agree_on_context(me, c, schedule.get());
}

MPI_Comm make_communicator(VirtualRank& me, const Communicator& from, std::uint32_t context,
                           Group group) {
  const int rank = group.rank_of(me.number());
  if (rank == MPI_UNDEFINED) return MPI_COMM_NULL;
  auto made = std::make_unique<Communicator>();
  made->context = context;
  made->group = std::move(group);
  made->rank = rank;
  made->errhandler = from.errhandler;
  return me.add(std::move(made));
}

MPI_Comm split_communicator(VirtualRank& me, Communicator& c, int color, int key) {
  if (color < 0 && color != MPI_UNDEFINED) {
    throw CallError(MPI_ERR_ARG, text("the color is %d; from 0 on and MPI_UNDEFINED are allowed",
                                      color));
  }
  std::vector<Choice> chosen = exchange(me, c, {color, key, c.rank});
  const std::uint32_t context = new_context(me, c);
  if (color == MPI_UNDEFINED) return MPI_COMM_NULL;
  std::erase_if(chosen, [color](const Choice& other) { return other.color != color; });
  std::stable_sort(chosen.begin(), chosen.end(),
                   [](const Choice& a, const Choice& b) { return a.key < b.key; });
  std::vector<int> members;
  for (const Choice& other : chosen) members.push_back(c.group.world_of(other.rank));
  return make_communicator(me, c, context, Group(std::move(members)));
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
    lengths->receive(static_cast<int>(i), &theirs[i], sizeof theirs[i]);
    lengths->send(static_cast<int>(i), &mine[i], sizeof mine[i]);
  }
  lengths->end_round();
  wait_for(me, lengths.get());
  for (std::size_t i = 0; i < n; ++i) {
    if (i == own) {
      in[i].assign(out[i].begin, out[i].begin + out[i].count);
      continue;
    }
    in[i].resize(theirs[i]);
    if (theirs[i] != 0) bytes->receive(static_cast<int>(i), in[i].data(), in[i].size());
    if (out[i].count != 0) bytes->send(static_cast<int>(i), out[i].begin, out[i].count);
  }
  bytes->end_round();
  wait_for(me, bytes.get());
  return in;
}

}  // namespace roam::mpi
