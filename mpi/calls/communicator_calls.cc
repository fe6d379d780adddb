// Communicators, their attributes and names (chapter 6 of the standard).

#include <cstdio>
#include <cstring>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "base/text.h"
#include "mpi/calls/collective_frame.h"
#include "mpi/calls/communicators.h"
#include "mpi/calls/messages.h"
#include "roam/thread.h"

namespace roam::mpi {
namespace {

int size(MPI_Comm handle, int* to) {
  return call("MPI_Comm_size", handle, needs(to),
              [&](VirtualRank& me) { *to = me.communicator(handle).size(); });
}
int rank_in(MPI_Comm handle, int* to) {
  return call("MPI_Comm_rank", handle, needs(to),
              [&](VirtualRank& me) { *to = me.communicator(handle).rank; });
}
int group_of(MPI_Comm handle, MPI_Group* to) {
  return call("MPI_Comm_group", handle, needs(to),
              [&](VirtualRank& me) { *to = me.add(me.communicator(handle).group); });
}
int compare(MPI_Comm a, MPI_Comm b, int* result) {
  return call("MPI_Comm_compare", a, needs(result), [&](VirtualRank& me) {
    const Communicator& x = me.communicator(a);
    const Communicator& y = me.communicator(b);
    const int groups = x.group.compare(y.group);
    const int others =
        x.is_inter() == y.is_inter() ? x.peers().compare(y.peers()) : static_cast<int>(MPI_UNEQUAL);
    const int worst = groups == MPI_UNEQUAL || others == MPI_UNEQUAL   ? MPI_UNEQUAL
                      : groups == MPI_SIMILAR || others == MPI_SIMILAR ? MPI_SIMILAR
                                                                       : MPI_CONGRUENT;
    *result = a == b ? MPI_IDENT : worst;
  });
}
// ---- infos: they are kept and given back ----

int set_info(MPI_Comm handle, MPI_Info info) {
  return call("MPI_Comm_set_info", handle, [&](VirtualRank& me) {
    Communicator& c = me.communicator(handle);
    c.info = me.info_or_none(info);
  });
}
int get_info(MPI_Comm handle, MPI_Info* info) {
  return call("MPI_Comm_get_info", handle, needs(info), [&](VirtualRank& me) {
    *info = me.infos.add(std::make_unique<Info>(me.communicator(handle).info));
  });
}

// ---- making them ----

// Attributes are copied at once, as the program's functions may use the old communicator.
MPI_Comm copy_of(VirtualRank& me, Communicator& c, std::uint64_t context) {
  const MPI_Comm made = make_communicator(me, c, context, c.group, c.remote.get());
  Communicator& copy = me.communicator(made);
  if (c.topology != nullptr) copy.topology = std::make_unique<Topology>(*c.topology);
  try {
    c.attributes.copy_to(me, c.handle, &copy.attributes);
  } catch (...) {
    me.remove_communicator(made);
    throw;
  }
  return made;
}

// Null: it has no info. One that is none is refused before anything is made.
const MPI_Info* const kNoInfo = nullptr;
int duplicate_as(const char* name, MPI_Comm handle, const MPI_Info* info, MPI_Comm* made) {
  return call(name, handle, needs(made), [&](VirtualRank& me) {
    Communicator& c = me.communicator(handle);
    Info given = info == kNoInfo ? Info() : me.info_or_none(*info);
    *made = MPI_COMM_NULL;
    *made = copy_of(me, c, new_context(me, c));
    me.communicator(*made).info = std::move(given);
  });
}
int duplicate(MPI_Comm handle, MPI_Comm* made) {
  return duplicate_as("MPI_Comm_dup", handle, kNoInfo, made);
}
int duplicate_with_info(MPI_Comm handle, MPI_Info info, MPI_Comm* made) {
  return duplicate_as("MPI_Comm_dup_with_info", handle, &info, made);
}
// It may be used when the request is done: its context is there then. What a function of the
// program's that copies an attribute refuses here, others are not refused: it has its number.
int iduplicate_as(const char* name, MPI_Comm handle, const MPI_Info* info, MPI_Comm* made,
                  MPI_Request* request) {
  return collective(name, CollectiveFamily::kOwn, handle, request,
                    [&](VirtualRank& me, Communicator& c, Schedule* s) {
                      check_pointer(made);
                      Info given = info == kNoInfo ? Info() : me.info_or_none(*info);
                      s->keep_number();
                      *made = copy_of(me, c, 0);
                      me.communicator(*made).info = std::move(given);
                      add_context(me, s, c, &me.communicator(*made).context);
                    });
}
int iduplicate(MPI_Comm handle, MPI_Comm* made, MPI_Request* request) {
  return iduplicate_as("MPI_Comm_idup", handle, kNoInfo, made, request);
}
int iduplicate_with_info(MPI_Comm handle, MPI_Info info, MPI_Comm* made, MPI_Request* request) {
  return iduplicate_as("MPI_Comm_idup_with_info", handle, &info, made, request);
}

void check_members(const Communicator& c, const Group& group) {
  for (int i = 0; i < group.size(); ++i) {
    if (c.group.rank_of(group.world_of(i)) == MPI_UNDEFINED)
      throw CallError(MPI_ERR_GROUP, text("rank %d of the group is not in the communicator", i));
  }
}

// Of an intercommunicator each group says which of its own are in.
int create(MPI_Comm handle, MPI_Group members, MPI_Comm* made) {
  return call("MPI_Comm_create", handle, needs(made), [&](VirtualRank& me) {
    *made = MPI_COMM_NULL;
    Communicator& c = me.communicator(handle);
    const Group group = me.group(members);
    check_members(c, group);
    if (!c.is_inter()) {
      *made = make_communicator(me, c, new_context(me, c), group);
      return;
    }
    std::vector<int> mine;
    for (int i = 0; i < group.size(); ++i) mine.push_back(group.world_of(i));
    const std::vector<char> bytes = exchange_with_remote(
        me, c, {reinterpret_cast<char*>(mine.data()), mine.size() * sizeof(int)});
    std::vector<int> theirs(bytes.size() / sizeof(int));
    std::memcpy(theirs.data(), bytes.data(), bytes.size());
    const Group remote(std::move(theirs));
    const std::uint64_t context = new_context(me, c);
    *made = remote.size() == 0 ? MPI_COMM_NULL : make_communicator(me, c, context, group, &remote);
  });
}

// Only the members of the group call it, so they agree among themselves.
int create_of_group(MPI_Comm handle, MPI_Group members, int tag, MPI_Comm* made) {
  return call("MPI_Comm_create_group", handle, needs(made), [&](VirtualRank& me) {
    const Communicator& c = me.communicator(handle);
    check_intra(c);
    *made = MPI_COMM_NULL;
    Communicator among;
    among.group = me.group(members);
    check_members(c, among.group);
    among.rank = among.group.rank_of(me.number());
    if (among.rank == MPI_UNDEFINED) return;
    Schedule schedule(c.context + kCollectiveContext, tag_of_group(tag));
    std::uint64_t context = 0;
    add_context(me, &schedule, among, &context);
    wait_for(me, &schedule);
    *made = make_communicator(me, c, context, among.group);
  });
}

int split(MPI_Comm handle, int color, int key, MPI_Comm* made) {
  return call("MPI_Comm_split", handle, needs(made), [&](VirtualRank& me) {
    *made = MPI_COMM_NULL;
    *made = split_communicator(me, me.communicator(handle), color, key);
  });
}

bool is_split_kind(int kind) {
#ifdef MPI_COMM_TYPE_RESOURCE_GUIDED
  if (kind == MPI_COMM_TYPE_RESOURCE_GUIDED) return true;
#endif
  return kind == MPI_UNDEFINED || kind == MPI_COMM_TYPE_SHARED || kind == MPI_COMM_TYPE_HW_GUIDED ||
         kind == MPI_COMM_TYPE_HW_UNGUIDED || kind == MPIX_COMM_TYPE_NEIGHBORHOOD;
}

// Members that share memory now. A virtual rank that migrates to another node does not any more.
// Nothing else is known of where they are, so of other kinds there is no communicator, as MPICH has
// it where it knows nothing.
int split_by_type(MPI_Comm handle, int kind, int key, MPI_Info info, MPI_Comm* made) {
  return call("MPI_Comm_split_type", handle, needs(made), [&](VirtualRank& me) {
    *made = MPI_COMM_NULL;
    if (!is_split_kind(kind))
      throw CallError(MPI_ERR_ARG, text("members cannot be split by type %d", kind));
    Info hints = me.info_or_none(info);
    const std::string* resource = hints.find("mpi_hw_resource_type");
    const bool by_memory =
        kind == MPI_COMM_TYPE_SHARED || (kind == MPI_COMM_TYPE_HW_GUIDED && resource != nullptr &&
                                         *resource == "mpi_shared_memory");
    *made =
        split_communicator(me, me.communicator(handle), by_memory ? node() : MPI_UNDEFINED, key);
    if (*made != MPI_COMM_NULL) me.communicator(*made).info = std::move(hints);
  });
}

// What is under way on it is waited for, where it is disconnected.
template <Name kName, bool kWaits>
int free_communicator(MPI_Comm* handle) {
  const MPI_Comm named = handle == nullptr ? MPI_COMM_NULL : *handle;
  return call(kName.text, named, needs(handle), [&](VirtualRank& me) {
    Communicator& c = me.communicator(*handle);
    if (*handle == MPI_COMM_WORLD || *handle == MPI_COMM_SELF)
      throw CallError(MPI_ERR_COMM, "MPI_COMM_WORLD and MPI_COMM_SELF cannot be freed");
    if (kWaits) {
      me.wait_until([&] {
        bool all = true;
        me.requests.for_each([&](Request& request) {
          if (request.communicator == *handle && !advance(&request)) all = false;
        });
        return all;
      });
    }
    c.attributes.remove_all(me, *handle);
    const auto leave = [&](Request& request) {
      if (request.communicator != *handle) return;
      request.communicator = MPI_COMM_NULL;
      request.errhandler = c.errhandler;
    };
    me.requests.for_each(leave);
    me.messages.for_each(leave);
    me.remove_communicator(*handle);
    *handle = MPI_COMM_NULL;
  });
}

// Nobody spawned it.
int parent(MPI_Comm* to) {
  return call("MPI_Comm_get_parent", MPI_COMM_WORLD, needs(to),
              [&](VirtualRank&) { *to = MPI_COMM_NULL; });
}

// ---- names ----

int set_name(MPI_Comm handle, const char* name) {
  return call("MPI_Comm_set_name", handle, needs(name), [&](VirtualRank& me) {
    me.communicator(handle).name = std::string(name).substr(0, MPI_MAX_OBJECT_NAME - 1);
  });
}
int get_name(MPI_Comm handle, char* name, int* length) {
  return call("MPI_Comm_get_name", handle, needs(name, length), [&](VirtualRank& me) {
    *length = std::snprintf(name, MPI_MAX_OBJECT_NAME, "%s", me.communicator(handle).name.c_str());
  });
}

}  // namespace

void add_communicator_calls() {
  add_call("MPI_Comm_size", &size);
  add_call("MPI_Comm_rank", &rank_in);
  add_call("MPI_Comm_group", &group_of);
  add_call("MPI_Comm_compare", &compare);
  add_call("MPI_Comm_dup", &duplicate);
  add_call("MPI_Comm_dup_with_info", &duplicate_with_info);
  add_call("MPI_Comm_idup", &iduplicate);
  add_call("MPI_Comm_idup_with_info", &iduplicate_with_info);
  add_call("MPI_Comm_set_info", &set_info);
  add_call("MPI_Comm_get_info", &get_info);
  add_call("MPI_Comm_create", &create);
  add_call("MPI_Comm_create_group", &create_of_group);
  add_call("MPI_Comm_split", &split);
  add_call("MPI_Comm_split_type", &split_by_type);
  add_call("MPI_Comm_free", &free_communicator<"MPI_Comm_free", false>);
  add_call("MPI_Comm_disconnect", &free_communicator<"MPI_Comm_disconnect", true>);
  add_call("MPI_Comm_get_parent", &parent);
  add_call("MPI_Comm_set_name", &set_name);
  add_call("MPI_Comm_get_name", &get_name);
}

}  // namespace roam::mpi
