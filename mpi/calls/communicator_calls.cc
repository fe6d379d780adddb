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
#include "mpi/calls/collectives.h"
#include "mpi/calls/messages.h"

namespace roam::mpi {
namespace {

void largest(const void* from, void* into, std::size_t) {
  auto* most = static_cast<std::uint32_t*>(into);
  *most = std::max(*most, *static_cast<const std::uint32_t*>(from));
}

// A context that no member of `c` has used, the same for all. `s` is of those members.
std::uint32_t agree_on_context(VirtualRank& me, const Communicator& c, Schedule* s) {
  auto* part = reinterpret_cast<char*>(&me.next_context);
  const Type one(MPI_BYTE);
  add_reduction_to_first(s, c, part, sizeof me.next_context, one, Reduction(&largest));
  add_broadcast(s, c, 0, part, sizeof me.next_context);
  wait_for(me, s);
  const std::uint32_t context = me.next_context;
  me.next_context += kContextsEach;
  return context;
}

// A communicator of `group` with what `from` hands on: its error handler.
MPI_Comm make(VirtualRank& me, const Communicator& from, std::uint32_t context, Group group) {
  const int rank = group.rank_of(me.number());
  if (rank == MPI_UNDEFINED) return MPI_COMM_NULL;
  auto made = std::make_unique<Communicator>();
  made->context = context;
  made->group = std::move(group);
  made->rank = rank;
  made->errhandler = from.errhandler;
  return me.add(std::move(made));
}

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

// ---- attributes ----

void check_keyval(VirtualRank& me, int keyval) {
  if (me.keyvals.find(keyval) != nullptr) return;
  throw Failure(MPI_ERR_KEYVAL, text("0x%08x is no key of attributes that the program made",
                                     static_cast<unsigned>(keyval)));
}

// Its callback may refuse.
void remove_attribute(VirtualRank& me, Communicator& c, int keyval) {
  const auto found = c.attributes.find(keyval);
  if (found == c.attributes.end()) return;
  const Keyval* key = me.keyvals.find(keyval);
  if (key != nullptr && key->remove != nullptr) {
    const int error = key->remove(c.handle, keyval, found->second, key->extra);
    if (error != MPI_SUCCESS)
      throw Failure(error, text("the attribute's own function of deletion returns %d", error));
  }
  c.attributes.erase(keyval);
}

int make_keyval(MPI_Comm_copy_attr_function* copy, MPI_Comm_delete_attr_function* remove,
                int* keyval, void* extra) {
  return call("MPI_Comm_create_keyval", MPI_COMM_WORLD, [&](VirtualRank& me) {
    *keyval = me.keyvals.add(std::make_unique<Keyval>(Keyval{copy, remove, extra}));
  });
}
// Attributes that have it keep its functions, so its number is not used again.
int free_keyval(int* keyval) {
  return call("MPI_Comm_free_keyval", MPI_COMM_WORLD, [&](VirtualRank& me) {
    check_keyval(me, *keyval);
    *keyval = MPI_KEYVAL_INVALID;
  });
}
int set_attribute(MPI_Comm handle, int keyval, void* value) {
  return call("MPI_Comm_set_attr", handle, [&](VirtualRank& me) {
    Communicator& c = me.communicator(handle);
    check_keyval(me, keyval);
    remove_attribute(me, c, keyval);
    c.attributes[keyval] = value;
  });
}

int get_attribute(MPI_Comm handle, int keyval, void* value, int* flag) {
  return call("MPI_Comm_get_attr", handle, [&](VirtualRank& me) {
    Communicator& c = me.communicator(handle);
    const auto give = [&](void* found) {
      std::memcpy(value, &found, sizeof found);
      *flag = 1;
    };
    *flag = 0;
    switch (keyval) {
      case MPI_TAG_UB:
        return give(&me.predefined.most_tag);
      case MPI_HOST:
        return give(&me.predefined.host);
      case MPI_IO:
        return give(&me.predefined.io);
      case MPI_WTIME_IS_GLOBAL:
        return give(&me.predefined.wtime_is_global);
      case MPI_LASTUSEDCODE:
        return give(&me.predefined.last_used_code);
      case MPI_UNIVERSE_SIZE:
        return give(&me.predefined.universe_size);
      case MPI_APPNUM:
        return give(&me.predefined.program_number);
      default:
        break;
    }
    const auto found = c.attributes.find(keyval);
    if (found != c.attributes.end()) give(found->second);
  });
}
int delete_attribute(MPI_Comm handle, int keyval) {
  return call("MPI_Comm_delete_attr", handle, [&](VirtualRank& me) {
    check_keyval(me, keyval);
    remove_attribute(me, me.communicator(handle), keyval);
  });
}

// Those whose keys want it.
void copy_attributes(VirtualRank& me, const Communicator& from, Communicator& to) {
  for (const auto& [keyval, value] : from.attributes) {
    const Keyval* key = me.keyvals.find(keyval);
    if (key == nullptr || key->copy == nullptr) continue;
    void* copied = nullptr;
    int wanted = 0;
    const int error = key->copy(from.handle, keyval, key->extra, value, &copied, &wanted);
    if (error != MPI_SUCCESS)
      throw Failure(error, text("the attribute's own function of copying returns %d", error));
    if (wanted != 0) to.attributes[keyval] = copied;
  }
}
// What MPI_COMM_DUP_FN is in MPICH's header: the value itself.
int copy_value(MPI_Comm, int, void*, void* value, void* copied, int* wanted) {
  std::memcpy(copied, &value, sizeof value);
  *wanted = 1;
  return MPI_SUCCESS;
}

// ---- making them ----

int duplicate(MPI_Comm handle, MPI_Comm* made) {
  return call("MPI_Comm_dup", handle, [&](VirtualRank& me) {
    Communicator& c = me.communicator(handle);
    const std::unique_ptr<Schedule> schedule = begin_collective(c);
    const std::uint32_t context = agree_on_context(me, c, schedule.get());
    *made = make(me, c, context, c.group);
    try {
      copy_attributes(me, c, me.communicator(*made));
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
    const std::unique_ptr<Schedule> schedule = begin_collective(c);
    const std::uint32_t context = agree_on_context(me, c, schedule.get());
    *made = make(me, c, context, group);
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
      throw Failure(MPI_ERR_TAG, text("the tag is %d; from 0 to %d is allowed", tag, kMostTag));
    Schedule schedule(among.group, c.context + kCollectiveContext, kMostTag + 1 + tag);
    const std::uint32_t context = agree_on_context(me, among, &schedule);
    *made = make(me, c, context, among.group);
  });
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

void split_by(VirtualRank& me, Communicator& c, int color, int key, MPI_Comm* made) {
  if (color < 0 && color != MPI_UNDEFINED) {
    throw Failure(MPI_ERR_ARG, text("the color is %d; from 0 on and MPI_UNDEFINED are allowed",
                                    color));
  }
  std::vector<Choice> chosen = exchange(me, c, {color, key, c.rank});
  const std::unique_ptr<Schedule> schedule = begin_collective(c);
  const std::uint32_t context = agree_on_context(me, c, schedule.get());
  *made = MPI_COMM_NULL;
  if (color == MPI_UNDEFINED) return;
  std::erase_if(chosen, [color](const Choice& other) { return other.color != color; });
  std::stable_sort(chosen.begin(), chosen.end(),
                   [](const Choice& a, const Choice& b) { return a.key < b.key; });
  std::vector<int> members;
  for (const Choice& other : chosen) members.push_back(c.group.world_of(other.rank));
  *made = make(me, c, context, Group(std::move(members)));
}

int split(MPI_Comm handle, int color, int key, MPI_Comm* made) {
  return call("MPI_Comm_split", handle, [&](VirtualRank& me) {
    split_by(me, me.communicator(handle), color, key, made);
  });
}

int free_communicator(MPI_Comm* handle) {
  return call("MPI_Comm_free", *handle, [&](VirtualRank& me) {
    Communicator& c = me.communicator(*handle);
    if (*handle == MPI_COMM_WORLD || *handle == MPI_COMM_SELF)
      throw Failure(MPI_ERR_COMM, "MPI_COMM_WORLD and MPI_COMM_SELF cannot be freed");
    delete_attributes(me, c);
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

void delete_attributes(VirtualRank& me, Communicator& c) {
  while (!c.attributes.empty()) remove_attribute(me, c, c.attributes.rbegin()->first);
}

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
  add_call("MPI_Comm_free", &free_communicator);
  add_call("MPI_Comm_set_name", &set_name);
  add_call("MPI_Comm_get_name", &get_name);
  add_call("MPI_Comm_create_keyval", &make_keyval);
  add_call("MPI_Keyval_create", &make_keyval);
  add_call("MPI_Comm_free_keyval", &free_keyval);
  add_call("MPI_Keyval_free", &free_keyval);
  add_call("MPI_Comm_set_attr", &set_attribute);
  add_call("MPI_Attr_put", &set_attribute);
  add_call("MPI_Comm_get_attr", &get_attribute);
  add_call("MPI_Attr_get", &get_attribute);
  add_call("MPI_Comm_delete_attr", &delete_attribute);
  add_call("MPI_Attr_delete", &delete_attribute);
  add_launcher_call("MPIR_Dup_fn", &copy_value);
}

}  // namespace roam::mpi
