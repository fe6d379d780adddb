// Groups (chapter 6.3 of the standard).

#include <vector>

#include "base/text.h"
#include "mpi/calls/call.h"

namespace roam::mpi {
namespace {

void check_count(int count, const char* of) {
  if (count < 0) throw CallError(MPI_ERR_ARG, text("the number of %s is %d", of, count));
}

int size(MPI_Group handle, int* to) {
  return call("MPI_Group_size", MPI_COMM_WORLD, needs(to),
              [&](VirtualRank& me) { *to = me.group(handle).size(); });
}
int rank_in(MPI_Group handle, int* to) {
  return call("MPI_Group_rank", MPI_COMM_WORLD, needs(to),
              [&](VirtualRank& me) { *to = me.group(handle).rank_of(me.number()); });
}
int compare(MPI_Group a, MPI_Group b, int* result) {
  return call("MPI_Group_compare", MPI_COMM_WORLD, needs(result),
              [&](VirtualRank& me) { *result = me.group(a).compare(me.group(b)); });
}
int translate(MPI_Group a, int count, const int* ranks, MPI_Group b, int* translated) {
  return call("MPI_Group_translate_ranks", MPI_COMM_WORLD,
              needs(if_any(count, ranks), if_any(count, translated)), [&](VirtualRank& me) {
                const Group from = me.group(a), to = me.group(b);
                check_count(count, "ranks");
                for (int i = 0; i < count; ++i) {
                  if (ranks[i] == MPI_PROC_NULL) {
                    translated[i] = MPI_PROC_NULL;
                    continue;
                  }
                  if (ranks[i] < 0 || ranks[i] >= from.size()) {
                    throw CallError(MPI_ERR_RANK,
                                    text("there is no rank %d in the group, which has 0 to %d",
                                         ranks[i], from.size() - 1));
                  }
                  translated[i] = to.rank_of(from.world_of(ranks[i]));
                }
              });
}

template <Group (Group::*kMake)(const Group&) const>
int combine(MPI_Group a, MPI_Group b, MPI_Group* made) {
  return call("MPI_Group_union and its kin", MPI_COMM_WORLD, needs(made),
              [&](VirtualRank& me) { *made = me.add((me.group(a).*kMake)(me.group(b))); });
}
template <Group (Group::*kMake)(const std::vector<int>&) const>
int choose(MPI_Group of, int count, const int* ranks, MPI_Group* made) {
  return call("MPI_Group_incl or MPI_Group_excl", MPI_COMM_WORLD, needs(if_any(count, ranks), made),
              [&](VirtualRank& me) {
                const Group group = me.group(of);
                check_count(count, "ranks");
                *made = me.add((group.*kMake)(std::vector<int>(ranks, ranks + count)));
              });
}
template <Group (Group::*kMake)(const std::vector<int>&) const>
int choose_ranges(MPI_Group of, int count, int (*ranges)[3], MPI_Group* made) {
  return call("MPI_Group_range_incl or MPI_Group_range_excl", MPI_COMM_WORLD,
              needs(if_any(count, ranges), made), [&](VirtualRank& me) {
                const Group group = me.group(of);
                check_count(count, "ranges");
                *made = me.add((group.*kMake)(group.ranks_of(ranges, count)));
              });
}
int free_group(MPI_Group* handle) {
  return call("MPI_Group_free", MPI_COMM_WORLD, needs(handle), [&](VirtualRank& me) {
    me.group(*handle);
    me.remove_group(*handle);
    *handle = MPI_GROUP_NULL;
  });
}

}  // namespace

void add_group_calls() {
  add_call("MPI_Group_size", &size);
  add_call("MPI_Group_rank", &rank_in);
  add_call("MPI_Group_compare", &compare);
  add_call("MPI_Group_translate_ranks", &translate);
  add_call("MPI_Group_union", &combine<&Group::join>);
  add_call("MPI_Group_intersection", &combine<&Group::intersect>);
  add_call("MPI_Group_difference", &combine<&Group::subtract>);
  add_call("MPI_Group_incl", &choose<&Group::pick>);
  add_call("MPI_Group_excl", &choose<&Group::omit>);
  add_call("MPI_Group_range_incl", &choose_ranges<&Group::pick>);
  add_call("MPI_Group_range_excl", &choose_ranges<&Group::omit>);
  add_call("MPI_Group_free", &free_group);
}

}  // namespace roam::mpi
