// Communicators, their attributes and names (chapter 6 of the standard).

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "base/text.h"
#include "mpi/calls/call.h"
#include "mpi/calls/communicators.h"
#include "mpi/calls/messages.h"
#include "roam/thread.h"

namespace roam::mpi {
namespace {

int size(MPI_Comm handle, int* to) {
  return call("MPI_Comm_size", handle, [&](VirtualRank& me) { *to = me.communicator(handle).size(); });
}
int rank_in(MPI_Comm handle, int* to) {
  return call("MPI_Comm_rank", handle, [&](VirtualRank& me) { *to = me.communicator(handle).rank; });
}
int group_of(MPI_Comm handle, MPI_Group* to) {
  return call("MPI_Comm_group", handle,
              [&](VirtualRank& me) { *to = me.add(me.communicator(handle).group); });
}
int compare(MPI_Comm a, MPI_Comm b, int* result) {
  return call("MPI_Comm_compare", a, [&](VirtualRank& me) {
    const Communicator& x = me.communicator(a);
    const Communicator& y = me.communicator(b);
    const int groups = x.group.compare(y.group);
    *result = x.context == y.context ? MPI_IDENT : groups == MPI_IDENT ? MPI_CONGRUENT : groups;
  });
}
int test_inter(MPI_Comm handle, int* flag) {
  return call("MPI_Comm_test_inter", handle, [&](VirtualRank& me) {
    me.communicator(handle);
    *flag = 0;
  });
}

// ---- making them ----

int duplicate(MPI_Comm handle, MPI_Comm* made) {
  return call("MPI_Comm_dup", handle, [&](VirtualRank& me) {
    Communicator& c = me.communicator(handle);
    *made = make_communicator(me, c, new_context(me, c), c.group);
    if (c.topology != nullptr)
      me.communicator(*made).topology = std::make_unique<Topology>(*c.topology);
    try {
      c.attributes.copy_to(me, handle, &me.communicator(*made).attributes);
    } catch (...) {
      me.remove_communicator(*made);
      *made = MPI_COMM_NULL;
      throw;
    }
  });
}
int duplicate_with_info(MPI_Comm handle, MPI_Info, MPI_Comm* made) { return duplicate(handle, made); }

int create(MPI_Comm handle, MPI_Group members, MPI_Comm* made) {
  return call("MPI_Comm_create", handle, [&](VirtualRank& me) {
    Communicator& c = me.communicator(handle);
    const Group group = me.group(members);
    *made = make_communicator(me, c, new_context(me, c), group);
  });
}

// Only the members of the group call it, so they agree among themselves.
int create_of_group(MPI_Comm handle, MPI_Group members, int tag, MPI_Comm* made) {
  return call("MPI_Comm_create_group", handle, [&](VirtualRank& me) {
    const Communicator& c = me.communicator(handle);
    *made = MPI_COMM_NULL;
    Communicator among;
    among.group = me.group(members);
    among.rank = among.group.rank_of(me.number());
    if (among.rank == MPI_UNDEFINED) return;
    if (tag < 0 || tag > kMostTag)
      throw CallError(MPI_ERR_TAG, text("the tag is %d; from 0 to %d is allowed", tag, kMostTag));
    Schedule schedule(among.group, c.context + kCollectiveContext, kMostTag + 1 + tag);
    const std::uint32_t context = agree_on_context(me, among, &schedule);
    *made = make_communicator(me, c, context, among.group);
  });
}

int split(MPI_Comm handle, int color, int key, MPI_Comm* made) {
  return call("MPI_Comm_split", handle, [&](VirtualRank& me) {
    *made = split_communicator(me, me.communicator(handle), color, key);
  });
}

// Members that share memory now. A virtual rank that migrates to another node does not any more.
int split_by_type(MPI_Comm handle, int kind, int key, MPI_Info, MPI_Comm* made) {
  return call("MPI_Comm_split_type", handle, [&](VirtualRank& me) {
    if (kind != MPI_COMM_TYPE_SHARED && kind != MPI_UNDEFINED)
      throw CallError(MPI_ERR_ARG, text("members cannot be split by type %d", kind));
    *made = split_communicator(me, me.communicator(handle),
                               kind == MPI_UNDEFINED ? MPI_UNDEFINED : node(), key);
  });
}

int free_communicator(MPI_Comm* handle) {
  return call("MPI_Comm_free", *handle, [&](VirtualRank& me) {
    Communicator& c = me.communicator(*handle);
    if (*handle == MPI_COMM_WORLD || *handle == MPI_COMM_SELF)
      throw CallError(MPI_ERR_COMM, "MPI_COMM_WORLD and MPI_COMM_SELF cannot be freed");
    c.attributes.remove_all(me, *handle);
    me.remove_communicator(*handle);
    *handle = MPI_COMM_NULL;
  });
}

// ---- names ----

int set_name(MPI_Comm handle, const char* name) {
  return call("MPI_Comm_set_name", handle, [&](VirtualRank& me) {
    me.communicator(handle).name = std::string(name).substr(0, MPI_MAX_OBJECT_NAME - 1);
  });
}
int get_name(MPI_Comm handle, char* name, int* length) {
  return call("MPI_Comm_get_name", handle, [&](VirtualRank& me) {
    *length = std::snprintf(name, MPI_MAX_OBJECT_NAME, "%s", me.communicator(handle).name.c_str());
  });
}

}  // namespace

void add_communicator_calls() {
  add_call("MPI_Comm_size", &size);
  add_call("MPI_Comm_rank", &rank_in);
  add_call("MPI_Comm_group", &group_of);
  add_call("MPI_Comm_compare", &compare);
  add_call("MPI_Comm_test_inter", &test_inter);
  add_call("MPI_Comm_dup", &duplicate);
  add_call("MPI_Comm_dup_with_info", &duplicate_with_info);
  add_call("MPI_Comm_create", &create);
  add_call("MPI_Comm_create_group", &create_of_group);
  add_call("MPI_Comm_split", &split);
  add_call("MPI_Comm_split_type", &split_by_type);
  add_call("MPI_Comm_free", &free_communicator);
  add_call("MPI_Comm_set_name", &set_name);
  add_call("MPI_Comm_get_name", &get_name);
}

}  // namespace roam::mpi
