#include "mpi/calls/collectives.h"

#include <cstring>
#include <memory>
#include <utility>

#include "mpi/calls/messages.h"
#include "mpi/calls/world_collectives.h"

namespace roam::mpi {
namespace {

// Each collective of a communicator has the next tag of its family. Those from 2^30 on are for
// groups (tag_of_group).
constexpr std::uint32_t kTagsOfFamily = 1u << 26;
static_assert(static_cast<std::uint64_t>(CollectiveFamily::kCount) * kTagsOfFamily <= 1u << 30);

int next_tag(CollectiveNumbers* numbers, CollectiveFamily family) {
  const auto at = static_cast<std::size_t>(family);
  return static_cast<int>(static_cast<std::uint32_t>(at) * kTagsOfFamily +
                          (*numbers)[at]++ % kTagsOfFamily);
}

void copy(const char* from, char* to, std::size_t bytes) {
  if (bytes != 0) std::memcpy(to, from, bytes);
}

}  // namespace

std::unique_ptr<Schedule> begin_collective(Communicator& c, CollectiveFamily family) {
  const int tag = next_tag(&c.collectives, family);
  return std::make_unique<Schedule>(c.context + kCollectiveContext, tag);
}

// In a context of their own, as a tag of theirs comes again at each start.
std::unique_ptr<Schedule> begin_persistent_collective(Communicator& c, CollectiveFamily family) {
  const int tag = next_tag(&c.persistent_collectives, family);
  return std::make_unique<Schedule>(c.context + kPersistentContext, tag, true);
}

void wait_for(VirtualRank& me, Schedule* schedule) {
  if (!schedule->advance()) me.wait_until([schedule] { return schedule->advance(); });
}

void wait_for_barrier(VirtualRank& me, Communicator& c) {
  if (is_of_all(me, c)) return barrier_of_all(me, c);
  const std::unique_ptr<Schedule> schedule = begin_collective(c, CollectiveFamily::kBarrier);
  add_barrier(schedule.get(), c);
  wait_for(me, schedule.get());
}

// Up a tree and down again: 2 (n - 1) messages, which many members of one rank handle sooner than
// the n log n of a dissemination.
void add_barrier(Schedule* s, const Communicator& c) {
  int mask = 1;
  for (; mask < c.size() && (c.rank & mask) == 0; mask <<= 1) {
    if (c.rank + mask < c.size()) s->receive(c.member(c.rank + mask), nullptr, 0);
  }
  s->end_round();
  if (c.rank != 0) {
    s->send(c.member(c.rank - mask), nullptr, 0);
    s->end_round();
  }
  add_exchange_of_first(s, c, {}, {});
  add_broadcast(s, c, 0, nullptr, 0);
}

void add_exchange_of_first(Schedule* s, const Communicator& c, Bytes out, Bytes in) {
  if (!c.is_inter() || c.rank != 0) return;
  s->receive(c.peer(0), in.begin, in.count);
  s->send(c.peer(0), out.begin, out.count);
  s->end_round();
}

void add_broadcast(Schedule* s, const Communicator& c, int root, void* data, std::size_t bytes) {
  const int n = c.size(), me = (c.rank - root + n) % n;
  int mask = 1;
  while (mask < n && (me & mask) == 0) mask <<= 1;
  if (me != 0) {
    s->receive(c.member((me - mask + root) % n), data, bytes);
    s->end_round();
  }
  for (mask >>= 1; mask > 0; mask >>= 1) {
    if (me + mask < n) s->send(c.member((me + mask + root) % n), data, bytes);
  }
  s->end_round();
}

void add_reduction_to_first(Schedule* s, const Communicator& c, Bytes part, MPI_Count count,
                            const Reduction& op) {
  int mask = 1;
  for (; mask < c.size() && (c.rank & mask) == 0; mask <<= 1) {
    if (c.rank + mask >= c.size()) continue;
    char* theirs = op.room_for(s, part.count);
    s->receive(c.member(c.rank + mask), theirs, part.count);
    s->then([=] {
      if (op.commutes()) {
        op.combine(theirs, part.begin, count);
        return;
      }
      op.combine(part.begin, theirs, count);
      copy(theirs, part.begin, part.count);
    });
    s->end_round();
  }
  if (c.rank != 0) {
    s->send(c.member(c.rank - mask), part.begin, part.count);
    s->end_round();
  }
}

void add_scan(Schedule* s, const Communicator& c, Bytes part, MPI_Count count, const Reduction& op,
              bool without_own) {
  // Of the block of ranks that this member has heard of: 1, 2, 4, ... aligned.
  char* block = op.room_for(s, part.count);
  s->at_begin([=] { copy(part.begin, block, part.count); });
  bool has_any = !without_own;
  for (int mask = 1; mask < c.size(); mask <<= 1) {
    const int other = c.rank ^ mask;
    if (other >= c.size()) continue;
    char* theirs = op.room_for(s, part.count);
    s->send(c.member(other), block, part.count);
    s->receive(c.member(other), theirs, part.count);
    if (other < c.rank) {
      s->then([=] {
        if (has_any) {
          op.combine(theirs, part.begin, count);
        } else {
          copy(theirs, part.begin, part.count);
        }
        op.combine(theirs, block, count);
      });
      has_any = true;
    } else {
      s->then([=] {
        op.combine(block, theirs, count);
        copy(theirs, block, part.count);
      });
    }
    s->end_round();
  }
}

}  // namespace roam::mpi
