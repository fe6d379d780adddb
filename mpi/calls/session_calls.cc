// Sessions, and communicators that are made of groups alone (chapter 11.3 of the standard).

#include <strings.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/fnv.h"
#include "base/text.h"
#include "mpi/calls/call.h"
#include "mpi/calls/communicators.h"

namespace roam::mpi {
namespace {

// ---- sessions ----

Session& session_of(VirtualRank& me, MPI_Session handle) {
  Session* session = me.sessions.find(handle);
  if (session == nullptr) {
    throw CallError(MPI_ERR_SESSION,
                    text("0x%08x is no session, or was finalized", static_cast<unsigned>(handle)));
  }
  return *session;
}

int tell_session(VirtualRank& me, MPI_Session handle, const char* name, const FailedCall& failed) {
  const Session* session = me.sessions.find(handle);
  if (session == nullptr) return tell_error(me, MPI_COMM_WORLD, name, failed);
  return tell_handler(me, session->errhandler, handle, "the session", name, failed);
}

// Runs `body(me, session)`.
template <class Body>
int call_of_session(const char* name, MPI_Session handle, Needs given, Body body) {
  return call_telling(
      name,
      [&](VirtualRank& me, const FailedCall& failed) {
        return tell_session(me, handle, name, failed);
      },
      given, [&](VirtualRank& me) { body(me, session_of(me, handle)); });
}
template <class Body>
int call_of_session(const char* name, MPI_Session handle, Body body) {
  return call_of_session(name, handle, Needs(), body);
}

// By their numbers.
constexpr const char* kLevels[] = {"MPI_THREAD_SINGLE", "MPI_THREAD_FUNNELED",
                                   "MPI_THREAD_SERIALIZED", "MPI_THREAD_MULTIPLE"};

// What is granted of what is wished for, as MPI_Init_thread grants it.
Info granted(const Info& wished) {
  Info info;
  const std::string* level = wished.find("thread_level");
  const auto found = std::find(std::begin(kLevels), std::end(kLevels),
                               level == nullptr ? std::string_view() : std::string_view(*level));
  // Who says nothing, or nothing that is known, gets the most.
  const auto asked = found == std::end(kLevels) ? MPI_THREAD_MULTIPLE
                                                : static_cast<int>(found - std::begin(kLevels));
  info.set("thread_level", kLevels[std::min(asked, VirtualRank::most_thread_level)]);
  return info;
}

int begin(MPI_Info wishes, MPI_Errhandler errhandler, MPI_Session* handle) {
  return call_telling(
      "MPI_Session_init",
      [&](VirtualRank& me, const FailedCall& failed) {
        return tell_handler(me, errhandler, MPI_SESSION_NULL, "the session", "MPI_Session_init",
                            failed);
      },
      needs(handle),
      [&](VirtualRank& me) {
        check_errhandler(me, errhandler);
        auto session = std::make_unique<Session>();
        session->errhandler = errhandler;
        session->info = granted(me.info_or_none(wishes));
        *handle = me.sessions.add(std::move(session));
        set_constants_of_fortran();
      });
}

// Buffered messages and those that were given up go on their way before.
int finalize(MPI_Session* handle) {
  const MPI_Session named = handle == nullptr ? MPI_SESSION_NULL : *handle;
  return call_of_session("MPI_Session_finalize", named, needs(handle),
                         [&](VirtualRank& me, Session&) {
                           me.wait_until([&] { return me.nothing_kept(); });
                           me.sessions.remove(*handle);
                           *handle = MPI_SESSION_NULL;
                         });
}

int get_info(MPI_Session handle, MPI_Info* info) {
  return call_of_session("MPI_Session_get_info", handle, needs(info),
                         [&](VirtualRank& me, Session& session) {
                           *info = me.infos.add(std::make_unique<Info>(session.info));
                         });
}

// ---- sets of processes ----

constexpr std::string_view kSets[] = {"mpi://WORLD", "mpi://SELF"};

// In whichever case it is written.
Group group_of_set(VirtualRank& me, const char* name) {
  if (strcasecmp(name, kSets[0].data()) == 0) return Group(0, 1, me.count());
  if (strcasecmp(name, kSets[1].data()) == 0) return Group(me.number(), 1, 1);
  throw CallError(MPI_ERR_ARG, text("there is no set of processes '%s'", name));
}

int count_sets(MPI_Session handle, MPI_Info info, int* count) {
  return call_of_session("MPI_Session_get_num_psets", handle, needs(count),
                         [&](VirtualRank& me, Session&) {
                           me.info_or_none(info);
                           *count = static_cast<int>(std::size(kSets));
                         });
}
// With room for *room bytes, the null among them; then what is needed.
int name_of_set(MPI_Session handle, MPI_Info, int n, int* room, char* name) {
  return call_of_session(
      "MPI_Session_get_nth_pset", handle, needs(room), [&](VirtualRank&, Session&) {
        if (n < 0 || n >= static_cast<int>(std::size(kSets))) {
          throw CallError(MPI_ERR_ARG, text("there is no set of processes number %d; there are %zu",
                                            n, std::size(kSets)));
        }
        if (*room < 0) throw CallError(MPI_ERR_ARG, text("there is room for %d characters", *room));
        check_pointer(if_any(*room, name));
        const std::string_view found = kSets[n];
        if (*room > 0) {
          const std::size_t bytes = std::min(found.size(), static_cast<std::size_t>(*room) - 1);
          std::memcpy(name, found.data(), bytes);
          name[bytes] = '\0';
        }
        *room = static_cast<int>(found.size()) + 1;
      });
}
int info_of_set(MPI_Session handle, const char* name, MPI_Info* made) {
  return call_of_session("MPI_Session_get_pset_info", handle, needs(name, made),
                         [&](VirtualRank& me, Session&) {
                           auto info = std::make_unique<Info>();
                           info->set("mpi_size", std::to_string(group_of_set(me, name).size()));
                           *made = me.infos.add(std::move(info));
                         });
}
int group_from_set(MPI_Session handle, const char* name, MPI_Group* group) {
  return call_of_session(
      "MPI_Group_from_session_pset", handle, needs(name, group),
      [&](VirtualRank& me, Session&) { *group = me.add(group_of_set(me, name)); });
}

// ---- error handlers ----

int set_errhandler(MPI_Session handle, MPI_Errhandler errhandler) {
  return call_of_session("MPI_Session_set_errhandler", handle,
                         [&](VirtualRank& me, Session& session) {
                           check_errhandler(me, errhandler);
                           session.errhandler = errhandler;
                         });
}
int get_errhandler(MPI_Session handle, MPI_Errhandler* errhandler) {
  return call_of_session("MPI_Session_get_errhandler", handle, needs(errhandler),
                         [&](VirtualRank& me, Session& session) {
                           *errhandler = me.name_errhandler(session.errhandler);
                         });
}
int call_errhandler(MPI_Session handle, int code) {
  constexpr const char* kName = "MPI_Session_call_errhandler";
  VirtualRank& me = VirtualRank::running();
  bool is_there = false;
  const int error =
      call_of_session(kName, handle, [&](VirtualRank&, Session&) { is_there = true; });
  if (is_there) tell_session(me, handle, kName, fail_as_asked(me, code));
  return error;
}

// ---- communicators of groups ----

// What members agree by, who have no communicator yet: tags of a context that is everybody's.
struct Agreement {
  explicit Agreement(const char* string) : hash(fnv_of(string)) {}
  int tag_of_members() const { return static_cast<int>(hash & kMostTag) * 2; }
  int tag_of_leaders() const { return tag_of_members() + 1; }

  static constexpr std::uint64_t kMostTag = (1u << 29) - 1;
  std::uint64_t hash;
};

MPI_Comm create_from(VirtualRank& me, const Group& group, const char* string,
                     MPI_Errhandler errhandler) {
  const Agreement agreement(string);
  Communicator among;
  among.group = group;
  among.rank = group.rank_of(me.number());
  among.errhandler = errhandler;
  if (among.rank == MPI_UNDEFINED)
    throw CallError(MPI_ERR_GROUP, "this virtual rank is no member of the group");
  Schedule schedule(kFromGroupsContext, agreement.tag_of_members());
  std::uint64_t head[2] = {0, agreement.hash};  // the context, and by what it was agreed
  if (among.rank == 0) head[0] = me.make_context();
  add_broadcast(&schedule, among, 0, head, sizeof head);
  wait_for(me, &schedule);
  if (head[1] != agreement.hash) {
    throw CallError(MPI_ERR_OTHER,
                    "another communicator of the group is made at the same time, "
                    "whose string cannot be told from this one's");
  }
  return make_communicator(me, among, head[0], group);
}

template <class Body>
int call_of_groups(const char* name, MPI_Errhandler errhandler, Needs given, Body body) {
  if (const VirtualRank& me = VirtualRank::running(); !me.is_open()) refuse_call(me, name);
  return call_telling(
      name,
      [&](VirtualRank& me, const FailedCall& failed) {
        return tell_handler(me, errhandler, MPI_COMM_NULL, "the communicator to be", name, failed);
      },
      given,
      [&](VirtualRank& me) {
        check_errhandler(me, errhandler);
        body(me);
      });
}

// With an empty group nothing is made, and nobody is asked.
int create_from_group(MPI_Group group, const char* string, MPI_Info info, MPI_Errhandler errhandler,
                      MPI_Comm* made) {
  return call_of_groups("MPI_Comm_create_from_group", errhandler, needs(string, made),
                        [&](VirtualRank& me) {
                          *made = MPI_COMM_NULL;
                          const Group members = me.group(group);
                          Info given = me.info_or_none(info);
                          if (members.size() == 0) return;
                          *made = create_from(me, members, string, errhandler);
                          me.communicator(*made).info = std::move(given);
                        });
}

// The same, if its own group is empty. The other group is the leader's word only: if that is empty,
// nothing is made either.
int create_from_groups(MPI_Group local, int local_leader, MPI_Group remote, int remote_leader,
                       const char* string, MPI_Info info, MPI_Errhandler errhandler,
                       MPI_Comm* made) {
  return call_of_groups(
      "MPI_Intercomm_create_from_groups", errhandler, needs(string, made), [&](VirtualRank& me) {
        *made = MPI_COMM_NULL;
        const Group members = me.group(local);
        Info given = me.info_or_none(info);
        if (members.size() == 0) return;
        const MPI_Comm own = create_from(me, members, string, errhandler);
        try {
          *made = connect_groups(me, me.communicator(own), local_leader, [&] {
            const Group others = me.group(remote);
            if (others.size() == 0) return OtherLeader{.world = OtherLeader::kNobody};
            if (remote_leader < 0 || remote_leader >= others.size()) {
              throw CallError(MPI_ERR_RANK,
                              text("the remote leader is rank %d; the group has 0 to %d",
                                   remote_leader, others.size() - 1));
            }
            return OtherLeader{others.world_of(remote_leader), kFromGroupsContext,
                               Agreement(string).tag_of_leaders()};
          });
        } catch (...) {
          me.remove_communicator(own);
          throw;
        }
        me.remove_communicator(own);
        if (*made != MPI_COMM_NULL) me.communicator(*made).info = std::move(given);
      });
}

}  // namespace

void add_session_calls() {
  add_call("MPI_Session_init", &begin);
  add_call("MPI_Session_finalize", &finalize);
  add_call("MPI_Session_get_info", &get_info);
  add_call("MPI_Session_get_num_psets", &count_sets);
  add_call("MPI_Session_get_nth_pset", &name_of_set);
  add_call("MPI_Session_get_pset_info", &info_of_set);
  add_call("MPI_Group_from_session_pset", &group_from_set);
  add_call("MPI_Session_set_errhandler", &set_errhandler);
  add_call("MPI_Session_get_errhandler", &get_errhandler);
  add_call("MPI_Session_call_errhandler", &call_errhandler);
  add_call("MPI_Comm_create_from_group", &create_from_group);
  add_call("MPI_Intercomm_create_from_groups", &create_from_groups);
}

}  // namespace roam::mpi
