#ifndef ROAM_MPI_IMAGE_LIBC_ANSWERS_H_
#define ROAM_MPI_IMAGE_LIBC_ANSWERS_H_

#include <aliases.h>
#include <grp.h>
#include <locale.h>
#include <mntent.h>
#include <netdb.h>
#include <netinet/ether.h>
#include <pwd.h>
#include <rpc/netdb.h>
#include <search.h>
#include <shadow.h>
#include <wchar.h>

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "mpi/image/hidden_state.h"
#include "mpi/image/kept_texts.h"

namespace roam::mpi {

// What functions of libc answer with that have one place for it in a process: a virtual rank has
// its own, so that an answer stays as it is while others ask, and goes where it goes. Nothing is in
// it before the first question of its kind.
struct LibcAnswers {
  template <class T>
  struct Entry {
    T entry{};
    std::vector<char> room;  // for what it points to
  };
  Entry<passwd> user, user_of_file;
  Entry<group> users, users_of_file;
  Entry<spwd> shadow, shadow_of_file;
  Entry<hostent> host;
  Entry<servent> service;
  Entry<protoent> protocol;
  Entry<netent> network;
  Entry<mntent> mount;
  Entry<rpcent> program;
  Entry<aliasent> alias;
  // Lists, each with its answer, how many entries of it are gone through, and where that left libc.
  enum Walk : std::size_t {
    kUsers,
    kGroups,
    kShadows,
    kServices,
    kProtocols,
    kNetworks,
    kHosts,
    kPrograms,
    kAliases,
  };
  static constexpr std::size_t kWalks = kAliases + 1;
  std::array<std::size_t, kWalks> gone{};
  std::array<HiddenState::Mark, kWalks> left{};
  Entry<passwd> next_user;
  Entry<group> next_users;
  Entry<spwd> next_shadow;
  Entry<servent> next_service;
  Entry<protoent> next_protocol;
  Entry<netent> next_network;
  Entry<hostent> next_host;
  Entry<rpcent> next_program;
  Entry<aliasent> next_alias;
  ether_addr ether{};
  lconv conventions{};

  // A text of each function.
  std::string error, signal, address, ether_text, digits, terminal, other_terminal, login, password,
      controlling;
  char number[400] = {}, fraction[400] = {}, long_number[400] = {}, long_fraction[400] = {};
  char temporary[32] = {};
  KeptTexts texts;

  // Of the conversions of characters that are given none.
  struct Shifts {
    mbstate_t to_wide{}, to_bytes{}, length{}, texts_to_wide{}, texts_to_bytes{}, to_utf16{},
        to_utf32{}, from_utf16{}, from_utf32{}, plain_to_wide{}, plain_to_bytes{};
  };
  Shifts shifts;

  hsearch_data table{};  // of hcreate

  struct Log {
    bool open = false, named = false;
    std::string name;
    int options = 0, facility = 0, mask = 0xff;
  };
  Log log;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_LIBC_ANSWERS_H_
