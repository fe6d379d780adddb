// Infos (chapter 9 of the standard), at any time. They are kept and given back; what acts
// by one is the call that it is given to.

#include <cstring>
#include <memory>
#include <string>

#include "base/text.h"
#include "mpi/calls/call.h"

namespace roam::mpi {
namespace {

// MPI_INFO_NULL is one without keys where one is handed on.
MPI_Info copy_of(VirtualRank& me, MPI_Info handle) {
  return me.infos.add(std::make_unique<Info>(me.info(handle)));
}

std::string key_of(const char* key) {
  if (key == nullptr || *key == '\0' || std::strlen(key) > MPI_MAX_INFO_KEY)
    throw CallError(MPI_ERR_INFO_KEY, text("a key has 1 to %d characters", MPI_MAX_INFO_KEY));
  return key;
}

int make(MPI_Info* handle) {
  return call_always("MPI_Info_create", needs(handle),
                     [&](VirtualRank& me) { *handle = me.infos.add(std::make_unique<Info>()); });
}
int duplicate(MPI_Info handle, MPI_Info* made) {
  return call_always("MPI_Info_dup", needs(made),
                     [&](VirtualRank& me) { *made = copy_of(me, handle); });
}
int free_info(MPI_Info* handle) {
  return call_always("MPI_Info_free", needs(handle), [&](VirtualRank& me) {
    me.info(*handle);
    me.infos.remove(*handle);
    *handle = MPI_INFO_NULL;
  });
}
int set(MPI_Info handle, const char* key, const char* value) {
  return call_always("MPI_Info_set", [&](VirtualRank& me) {
    Info& info = me.info(handle);
    const std::string name = key_of(key);
    check_pointer(value);
    if (std::strlen(value) > MPI_MAX_INFO_VAL)
      throw CallError(MPI_ERR_INFO_VALUE,
                      text("a value has up to %d characters", MPI_MAX_INFO_VAL));
    info.set(name, value);
  });
}
int remove(MPI_Info handle, const char* key) {
  return call_always("MPI_Info_delete", [&](VirtualRank& me) {
    if (!me.info(handle).remove(key_of(key)))
      throw CallError(MPI_ERR_INFO_NOKEY, text("there is no key '%s'", key));
  });
}

void check_room(int room) {
  if (room < 0) throw CallError(MPI_ERR_ARG, text("there is room for %d characters", room));
}
// With room for `most` characters and a null.
int get(MPI_Info handle, const char* key, int most, char* value, int* flag) {
  return call_always("MPI_Info_get", needs(value, flag), [&](VirtualRank& me) {
    check_room(most);
    const std::string* found = me.info(handle).find(key_of(key));
    *flag = found != nullptr ? 1 : 0;
    if (found == nullptr) return;
    const auto bytes = std::min(found->size(), static_cast<std::size_t>(most));
    std::memcpy(value, found->data(), bytes);
    value[bytes] = '\0';
  });
}
// With room for *room bytes, the null among them; then what is needed.
int get_string(MPI_Info handle, const char* key, int* room, char* value, int* flag) {
  return call_always("MPI_Info_get_string", needs(room, flag), [&](VirtualRank& me) {
    check_room(*room);
    check_pointer(if_any(*room, value));
    const std::string* found = me.info(handle).find(key_of(key));
    *flag = found != nullptr ? 1 : 0;
    if (found == nullptr) return;
    if (*room > 0) {
      const auto bytes = std::min(found->size(), static_cast<std::size_t>(*room) - 1);
      std::memcpy(value, found->data(), bytes);
      value[bytes] = '\0';
    }
    *room = static_cast<int>(found->size()) + 1;
  });
}
int get_length(MPI_Info handle, const char* key, int* length, int* flag) {
  return call_always("MPI_Info_get_valuelen", needs(length, flag), [&](VirtualRank& me) {
    const std::string* found = me.info(handle).find(key_of(key));
    *flag = found != nullptr ? 1 : 0;
    if (found != nullptr) *length = static_cast<int>(found->size());
  });
}
int get_count(MPI_Info handle, int* count) {
  return call_always("MPI_Info_get_nkeys", needs(count), [&](VirtualRank& me) {
    *count = static_cast<int>(me.info(handle).entries.size());
  });
}
int get_key(MPI_Info handle, int n, char* key) {
  return call_always("MPI_Info_get_nthkey", needs(key), [&](VirtualRank& me) {
    const Info& info = me.info(handle);
    if (n < 0 || n >= static_cast<int>(info.entries.size())) {
      throw CallError(MPI_ERR_ARG,
                      text("there is no key number %d; there are %zu", n, info.entries.size()));
    }
    std::strcpy(key,
                info.entries[static_cast<std::size_t>(n)].first.c_str());  // of a checked length
  });
}

// What MPI_INFO_ENV has.
int make_of_environment(int, char**, MPI_Info* handle) {
  return call_always("MPI_Info_create_env", needs(handle), [&](VirtualRank& me) {
    *handle = me.infos.add(std::make_unique<Info>(me.environment_info));
  });
}

}  // namespace

void add_info_calls() {
  add_call("MPI_Info_create_env", &make_of_environment);
  add_call("MPI_Info_create", &make);
  add_call("MPI_Info_dup", &duplicate);
  add_call("MPI_Info_free", &free_info);
  add_call("MPI_Info_set", &set);
  add_call("MPI_Info_delete", &remove);
  add_call("MPI_Info_get", &get);
  add_call("MPI_Info_get_string", &get_string);
  add_call("MPI_Info_get_valuelen", &get_length);
  add_call("MPI_Info_get_nkeys", &get_count);
  add_call("MPI_Info_get_nthkey", &get_key);
}

}  // namespace roam::mpi
