// Waits for locks of files: who holds them may wait for a thread of this rank.

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdarg>

#include "threads/descriptor_waits.h"

namespace {

using roam::threads::Tcb;
using namespace roam::threads::wait_calls;

Real<int(int, int)> real_flock("flock", nullptr);
Real<int(int, int, void*)> real_fcntl("fcntl", nullptr);
Real<int(int, int, off_t)> real_lockf("lockf", nullptr);

[[gnu::constructor]] void find_early() {
  real_flock.prepare();
  real_fcntl.prepare();
  real_lockf.prepare();
}

// `now` takes the lock if it is free; `real` waits as libc does.
template <class Now, class Wait>
int lock_from(Tcb* self, const char* call, int fd, bool waits, Now now, Wait real) {
  int result = -1;
  const Asked asked = ask_outside(
      self, call, fd, [&] { return waits ? kForEver : kAtOnce; },
      [&] {
        result = now();
        return result == 0 || (errno != EAGAIN && errno != EACCES && errno != EINTR);
      });
  if (asked == Asked::kByLibc) return real();
  if (asked == Asked::kTimeOut) errno = EAGAIN;
  return result;
}

int control(const void* return_address, int fd, int command, void* argument) {
  if (command != F_SETLKW && command != F_OFD_SETLKW) return real_fcntl(fd, command, argument);
  const int now = command == F_SETLKW ? F_SETLK : F_OFD_SETLK;
  return lock_from(
      asker(return_address), "fcntl(F_SETLKW)", fd, true,
      [&] { return real_fcntl(fd, now, argument); },
      [&] { return real_fcntl(fd, command, argument); });
}

int lock_part(const void* return_address, int fd, int command, off_t bytes) {
  if (command != F_LOCK) return real_lockf(fd, command, bytes);
  return lock_from(
      asker(return_address), "lockf", fd, true, [&] { return real_lockf(fd, F_TLOCK, bytes); },
      [&] { return real_lockf(fd, command, bytes); });
}

}  // namespace

ROAM_EXPORT int flock(int fd, int operation) noexcept {
  if ((operation & LOCK_UN) != 0) return real_flock(fd, operation);
  return lock_from(
      asker(__builtin_return_address(0)), "flock", fd, (operation & LOCK_NB) == 0,
      [&] { return real_flock(fd, operation | LOCK_NB); },
      [&] { return real_flock(fd, operation); });
}

#define ROAM_CONTROL_CALL(name)                                         \
  ROAM_EXPORT int name(int fd, int command, ...) {                      \
    va_list list;                                                       \
    va_start(list, command);                                            \
    void* argument = va_arg(list, void*);                               \
    va_end(list);                                                       \
    return control(__builtin_return_address(0), fd, command, argument); \
  }
ROAM_CONTROL_CALL(fcntl)
ROAM_CONTROL_CALL(fcntl64)

ROAM_EXPORT int lockf(int fd, int command, off_t bytes) {
  return lock_part(__builtin_return_address(0), fd, command, bytes);
}
ROAM_EXPORT int lockf64(int fd, int command, off64_t bytes) {
  return lock_part(__builtin_return_address(0), fd, command, bytes);
}
