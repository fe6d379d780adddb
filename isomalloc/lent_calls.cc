// Calls of libc that keep a pointer to the caller's memory in the process. A thread's memory leaves
// with it, so libc keeps one to a copy, or to memory of its own. putenv and streams' own buffers
// are in process_calls.cc.

#include <mntent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <map>
#include <mutex>

#include "base/lock.h"
#include "isomalloc/arena.h"
#include "isomalloc/process_call.h"

using roam::iso::arena;
using roam::iso::HeapScope;
using roam::iso::next;

// libc's own buffer takes the place of a thread's, with the same way of buffering.
ROAM_EXPORT int setvbuf(FILE* file, char* buffer, int mode, size_t bytes) noexcept {
  static const auto real = next<int(FILE*, char*, int, size_t)>("setvbuf");
  return real(file, arena().contains(buffer) ? nullptr : buffer, mode, bytes);
}
ROAM_EXPORT void setbuffer(FILE* file, char* buffer, size_t bytes) noexcept {
  static const auto real = next<void(FILE*, char*, size_t)>("setbuffer");
  if (arena().contains(buffer)) {
    setvbuf(file, nullptr, _IOFBF, 0);
  } else {
    real(file, buffer, bytes);
  }
}
ROAM_EXPORT void setbuf(FILE* file, char* buffer) noexcept { setbuffer(file, buffer, BUFSIZ); }

ROAM_EXPORT void openlog(const char* name, int options, int facility) {
  static const auto real = next<void(const char*, int, int)>("openlog");
  HeapScope process;
  real(arena().contains(name) ? strdup(name) : name, options, facility);
}

// The state of random() is the rank's: an array in a thread's memory stands for one of the process.
namespace {
roam::Lock states_lock;
[[gnu::constructor(102)]] void keep_states_over_fork() { roam::keep_over_fork<states_lock>(); }
std::map<const char*, std::pair<char*, size_t>>& states() {
  static auto& made = *new std::map<const char*, std::pair<char*, size_t>>;
  return made;
}
}  // namespace
ROAM_EXPORT char* initstate(unsigned seed, char* state, size_t bytes) noexcept {
  static const auto real = next<char*(unsigned, char*, size_t)>("initstate");
  if (!arena().contains(state)) return real(seed, state, bytes);
  HeapScope process;
  const std::lock_guard hold(states_lock);
  auto& [copy, copy_bytes] = states()[state];
  if (copy == nullptr || copy_bytes < bytes) {
    copy = static_cast<char*>(malloc(bytes));  // a smaller one may still be in use
    copy_bytes = bytes;
  }
  return copy != nullptr ? real(seed, copy, bytes) : nullptr;
}
ROAM_EXPORT char* setstate(char* state) noexcept {
  static const auto real = next<char*(char*)>("setstate");
  if (!arena().contains(state)) return real(state);
  HeapScope process;
  const std::lock_guard hold(states_lock);
  const auto it = states().find(state);
  return it != states().end() ? real(it->second.first) : nullptr;
}

// The list of what is mounted is read through a stream of libc's.
#define ROAM_MOUNT_CALLS(prefix)                                                                 \
  ROAM_OPENING_CALL(FILE, prefix##setmntent, (const char* path, const char* mode), (path, mode), \
                    "FILE* of setmntent", )                                                      \
  ROAM_CLOSING_CALL(int, prefix##endmntent, FILE*)
ROAM_MOUNT_CALLS()
ROAM_MOUNT_CALLS(__)
