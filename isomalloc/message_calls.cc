// Catalogs of std::messages: libstdc++ keeps a list of the open ones for the process. They pin, as
// those of catopen do. Its functions are virtual, and reached by their names in the tables of the
// class, of which there is one for each kind of std::string and of characters.

#include <cstdint>

#include "isomalloc/process_call.h"

using roam::iso::closed;
using roam::iso::current_heap;
using roam::iso::Heap;
using roam::iso::HeapScope;
using roam::iso::next;
using roam::iso::opened;

namespace {

// Told apart from pointers by its high bits.
const void* key_of(int catalog) {
  return reinterpret_cast<const void*>(std::uintptr_t{'m'} << 56 ^
                                       static_cast<std::uintptr_t>(catalog));
}

}  // namespace

#define ROAM_MESSAGES(number, open_name, close_name)                                            \
  extern "C" __attribute__((visibility("default"))) int roam_messages_open_##number(            \
      const void* messages, const void* name, const void* locale) asm(open_name);               \
  int roam_messages_open_##number(const void* messages, const void* name, const void* locale) { \
    static const auto real = next<int(const void*, const void*, const void*)>(open_name);       \
    Heap* caller = current_heap;                                                                \
    HeapScope process;                                                                          \
    const int catalog = real(messages, name, locale);                                           \
    if (catalog >= 0) opened(key_of(catalog), "catalog of std::messages", caller);              \
    return catalog;                                                                             \
  }                                                                                             \
  extern "C" __attribute__((visibility("default"))) void roam_messages_close_##number(          \
      const void* messages, int catalog) asm(close_name);                                       \
  void roam_messages_close_##number(const void* messages, int catalog) {                        \
    static const auto real = next<void(const void*, int)>(close_name);                          \
    HeapScope process;                                                                          \
    closed(key_of(catalog));                                                                    \
    real(messages, catalog);                                                                    \
  }

ROAM_MESSAGES(1,
              "_ZNKSt7__cxx118messagesIcE7do_openERKNS_12basic_stringIcSt11char_traitsIcESaIcEEE"
              "RKSt6locale",
              "_ZNKSt7__cxx118messagesIcE8do_closeEi")
ROAM_MESSAGES(2,
              "_ZNKSt7__cxx118messagesIwE7do_openERKNS_12basic_stringIcSt11char_traitsIcESaIcEEE"
              "RKSt6locale",
              "_ZNKSt7__cxx118messagesIwE8do_closeEi")
ROAM_MESSAGES(3, "_ZNKSt8messagesIcE7do_openERKSsRKSt6locale", "_ZNKSt8messagesIcE8do_closeEi")
ROAM_MESSAGES(4, "_ZNKSt8messagesIwE7do_openERKSsRKSt6locale", "_ZNKSt8messagesIwE8do_closeEi")
