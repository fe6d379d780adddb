// Calls of libc that give their caller several blocks that a call of their own frees: addresses,
// names of files, words, interfaces, frames. libc allocates them in the process's memory
// (library_slots.h); here they become the caller's. That call frees each of them by its address.

// The header says that these throw nothing; the caller's callback may.
#define glob glob_that_throws_nothing
#define glob64 glob64_that_throws_nothing
#include <glob.h>
#undef glob
#undef glob64

#include <execinfo.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdlib.h>
#include <wordexp.h>

#include <cerrno>
#include <cstdint>

#include "isomalloc/library_slots.h"
#include "isomalloc/process_call.h"

using roam::iso::CallbackPin;
using roam::iso::hand_over;
using roam::iso::hand_over_addresses;
using roam::iso::HeapScope;
using roam::iso::next;

namespace {

// `pointer` pointed into the block that was at `from` and is at `to`.
template <class T>
void shift(T*& pointer, const void* from, const void* to) {
  if (pointer == nullptr) return;
  pointer = reinterpret_cast<T*>(reinterpret_cast<std::uintptr_t>(pointer) +
                                 reinterpret_cast<std::uintptr_t>(to) -
                                 reinterpret_cast<std::uintptr_t>(from));
}

// A list with `count` texts behind `first` others that are null.
bool hand_over_texts(char**& list, size_t first, size_t count) {
  if (list == nullptr) return true;
  if (!hand_over(list)) return false;
  for (size_t i = 0; i < count; ++i) {
    if (!hand_over(list[first + i])) return false;
  }
  return true;
}

}  // namespace

namespace roam::iso {

bool hand_over_addresses(addrinfo** list) {
  for (addrinfo** link = list; *link != nullptr; link = &(*link)->ai_next) {
    const addrinfo* from = *link;
    if (!hand_over(*link)) return false;
    shift((*link)->ai_addr, from, *link);  // behind it, in its block
    if (!hand_over((*link)->ai_canonname)) return false;
  }
  return true;
}

}  // namespace roam::iso

ROAM_EXPORT int getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                            addrinfo** result) {
  using Get = int(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = next<Get>("getaddrinfo");
  {
    HeapScope process;  // it loads who answers
    if (const int error = real(host, service, hints, result); error != 0) return error;
  }
  if (hand_over_addresses(result)) return 0;
  freeaddrinfo(*result);
  *result = nullptr;
  return EAI_MEMORY;
}

// Names of files. With a tilde libc asks who the user is, and may load who answers that. Its
// callbacks are the caller's own code.
#define ROAM_GLOB(suffix)                                                                       \
  ROAM_EXPORT int glob##suffix(const char* pattern, int flags, int (*failed)(const char*, int), \
                               glob##suffix##_t* found) noexcept(false) {                       \
    using Glob = int(const char*, int, int (*)(const char*, int), glob##suffix##_t*);           \
    static const auto real = next<Glob>("glob" #suffix);                                        \
    const CallbackPin pin("glob" #suffix, failed != nullptr || (flags & GLOB_ALTDIRFUNC) != 0); \
    int error = 0;                                                                              \
    if ((flags & (GLOB_TILDE | GLOB_TILDE_CHECK)) != 0) {                                       \
      HeapScope process;                                                                        \
      error = real(pattern, flags, failed, found);                                              \
    } else {                                                                                    \
      error = real(pattern, flags, failed, found);                                              \
    }                                                                                           \
    if (error < 0) return error; /* it looked at nothing */                                     \
    const size_t first = (flags & GLOB_DOOFFS) != 0 ? found->gl_offs : 0;                       \
    if (hand_over_texts(found->gl_pathv, first, found->gl_pathc)) return error;                 \
    globfree##suffix(found);                                                                    \
    return GLOB_NOSPACE;                                                                        \
  }
ROAM_GLOB()
ROAM_GLOB(64)

ROAM_EXPORT int wordexp(const char* text, wordexp_t* words, int flags) {
  static const auto real = next<int(const char*, wordexp_t*, int)>("wordexp");
  int error = 0;
  {
    HeapScope process;
    error = real(text, words, flags);
  }
  if (error != 0 && error != WRDE_NOSPACE) return error;  // it left the words as they were
  const size_t first = (flags & WRDE_DOOFFS) != 0 ? words->we_offs : 0;
  if (hand_over_texts(words->we_wordv, first, words->we_wordc)) return error;
  wordfree(words);
  return WRDE_NOSPACE;
}

ROAM_EXPORT struct if_nameindex* if_nameindex() noexcept {
  static const auto real = next<struct if_nameindex*()>("if_nameindex");
  struct if_nameindex* list = real();
  if (list == nullptr) return nullptr;
  bool room = hand_over(list);
  for (size_t i = 0; room && list[i].if_name != nullptr; ++i) room = hand_over(list[i].if_name);
  if (room) return list;
  if_freenameindex(list);
  errno = ENOBUFS;
  return nullptr;
}

// One block that points into itself.
ROAM_EXPORT int getifaddrs(ifaddrs** result) noexcept {
  static const auto real = next<int(ifaddrs**)>("getifaddrs");
  if (const int error = real(result); error != 0) return error;
  const ifaddrs* from = *result;
  if (!hand_over(*result)) {
    freeifaddrs(*result);
    *result = nullptr;
    return -1;
  }
  const ifaddrs* to = *result;
  if (to == from) return 0;
  for (ifaddrs* each = *result; each != nullptr; each = each->ifa_next) {
    shift(each->ifa_next, from, to);
    shift(each->ifa_name, from, to);
    shift(each->ifa_addr, from, to);
    shift(each->ifa_netmask, from, to);
    shift(each->ifa_ifu.ifu_broadaddr, from, to);
    shift(each->ifa_data, from, to);
  }
  return 0;
}

ROAM_EXPORT char** backtrace_symbols(void* const* frames, int count) noexcept {
  static const auto real = next<char**(void* const*, int)>("backtrace_symbols");
  char** list = real(frames, count);
  if (list == nullptr) return nullptr;
  const char* const* from = list;
  if (!hand_over(list)) {
    free(list);
    return nullptr;
  }
  for (int i = 0; i < count && list != from; ++i) shift(list[i], from, list);
  return list;
}
