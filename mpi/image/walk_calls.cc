// Lists that libc goes through entry by entry: users, groups, services and their kin. The place
// where it is in one is the process's; a virtual rank has its own, as a count of entries. Where
// somebody else has gone on since, or this is another process, libc goes there again.

#include <aliases.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <rpc/netdb.h>
#include <shadow.h>

#include <array>
#include <cerrno>
#include <vector>

#include "isomalloc/heap.h"
#include "mpi/image/image.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

using Walk = LibcAnswers::Walk;

std::array<HiddenState, LibcAnswers::kWalks> walks;

// `set` begins again; `next(entry, room, bytes, found)` returns an error number. All of it is
// libc's memory of this process.
template <Walk kWalk, auto kSet, auto kNext, class T>
int next_entry(T* entry, char* room, std::size_t bytes, T** found) {
  LibcAnswers& answers = Image::running()->libc_answers();
  std::size_t& mine = answers.gone[kWalk];
  HiddenState& walk = walks[kWalk];
  const iso::HeapScope process;
  *found = nullptr;
  if (!walk.is(answers.left[kWalk])) {
    walk.forget();
    kSet();
    T other;
    std::vector<char> other_room(1024);
    for (std::size_t i = 0; i < mine;) {
      T* there = nullptr;
      const int error = kNext(&other, other_room.data(), other_room.size(), &there);
      if (error == ERANGE && other_room.size() < (std::size_t{16} << 20)) {
        other_room.resize(other_room.size() * 4);
        continue;
      }
      if (error != 0 || there == nullptr) return error;  // the list is shorter by now
      ++i;
    }
  }
  const int error = kNext(entry, room, bytes, found);
  if (error == 0 && *found != nullptr) ++mine;
  answers.left[kWalk] = walk.change();
  return error;
}

// The same, to a place of the virtual rank's own.
template <Walk kWalk, auto kMember, auto kSet, auto kNext>
auto* next_answer() {
  auto& answer = Image::running()->libc_answers().*kMember;
  if (answer.room.empty()) answer.room.resize(1024);
  decltype(&answer.entry) found = nullptr;
  for (;;) {
    const int error = next_entry<kWalk, kSet, kNext>(&answer.entry, answer.room.data(),
                                                     answer.room.size(), &found);
    if (error != ERANGE || answer.room.size() >= (std::size_t{16} << 20)) {
      if (error != 0) errno = error;
      return found;
    }
    answer.room.resize(answer.room.size() * 4);
  }
}
template <Walk kWalk, auto kEnd>
void begin_again() {
  LibcAnswers& answers = Image::running()->libc_answers();
  answers.gone[kWalk] = 0;
  answers.left[kWalk] = HiddenState::kNone;
  const iso::HeapScope process;
  walks[kWalk].forget();
  kEnd();  // what the process has open of it; it is opened again for who goes on
}
template <Walk kWalk, auto kEnd>
void begin_again_open(int) {
  begin_again<kWalk, kEnd>();
}

// Those of hosts and networks have an error number of their own.
template <auto kCall, class T>
int next_of_name_service(T* entry, char* room, std::size_t bytes, T** found) {
  int why = 0;
  const int error = kCall(entry, room, bytes, found, &why);
  if (*found == nullptr) h_errno = why;
  return error;
}
template <auto kCall, class T>
int next_of(T* entry, char* room, std::size_t bytes, T** found) {
  return kCall(entry, room, bytes, found);
}
template <auto kCall>
void set_open() {
  kCall(0);
}

// One list: its names begin with "get", "set", "end" and end with "ent".
template <Walk kWalk, auto kMember, auto kSet, auto kEnd, auto kNext, class T>
void add_list(const std::string& name, bool set_takes_a_word) {
  add_launcher_call("get" + name + "ent", &next_answer<kWalk, kMember, kSet, kNext>);
  add_launcher_call("get" + name + "ent_r", &next_entry<kWalk, kSet, kNext, T>);
  if (set_takes_a_word) {
    add_launcher_call("set" + name + "ent", &begin_again_open<kWalk, kEnd>);
  } else {
    add_launcher_call("set" + name + "ent", &begin_again<kWalk, kEnd>);
  }
  add_launcher_call("end" + name + "ent", &begin_again<kWalk, kEnd>);
}

}  // namespace

void add_walk_calls() {
  using A = LibcAnswers;
  add_list<A::kUsers, &A::next_user, ::setpwent, ::endpwent, next_of<getpwent_r, passwd>, passwd>(
      "pw", false);
  add_list<A::kGroups, &A::next_users, ::setgrent, ::endgrent, next_of<getgrent_r, group>, group>(
      "gr", false);
  add_list<A::kShadows, &A::next_shadow, ::setspent, ::endspent, next_of<getspent_r, spwd>, spwd>(
      "sp", false);
  add_list<A::kServices, &A::next_service, set_open<setservent>, ::endservent,
           next_of<getservent_r, servent>, servent>("serv", true);
  add_list<A::kProtocols, &A::next_protocol, set_open<setprotoent>, ::endprotoent,
           next_of<getprotoent_r, protoent>, protoent>("proto", true);
  add_list<A::kNetworks, &A::next_network, set_open<setnetent>, ::endnetent,
           next_of_name_service<getnetent_r, netent>, netent>("net", true);
  add_list<A::kHosts, &A::next_host, set_open<sethostent>, ::endhostent,
           next_of_name_service<gethostent_r, hostent>, hostent>("host", true);
  add_list<A::kPrograms, &A::next_program, set_open<setrpcent>, ::endrpcent,
           next_of<getrpcent_r, rpcent>, rpcent>("rpc", true);
  add_list<A::kAliases, &A::next_alias, ::setaliasent, ::endaliasent,
           next_of<getaliasent_r, aliasent>, aliasent>("alias", false);
}

}  // namespace roam::mpi
