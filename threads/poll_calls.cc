// Waits for one of many descriptors.

// The C library's checked headers define some of the functions that are defined here.
#undef _FORTIFY_SOURCE

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <new>

#include "threads/descriptor_waits.h"

namespace roam::threads::wait_calls {
namespace {

constexpr timespec kNoTime{};

Real<int(pollfd*, nfds_t, int)> real_poll("poll", nullptr);
Real<int(pollfd*, nfds_t, const timespec*, const sigset_t*)> real_ppoll("ppoll", nullptr);
Real<int(pollfd*, nfds_t, int, std::size_t)> real_poll_chk("__poll_chk", nullptr);
Real<int(pollfd*, nfds_t, const timespec*, const sigset_t*, std::size_t)> real_ppoll_chk(
    "__ppoll_chk", nullptr);
Real<int(int, fd_set*, fd_set*, fd_set*, timeval*)> real_select("select", nullptr);
Real<int(int, fd_set*, fd_set*, fd_set*, const timespec*, const sigset_t*)> real_pselect("pselect",
                                                                                         nullptr);
Real<int(int, epoll_event*, int, int)> real_epoll("epoll_wait", nullptr);
Real<int(int, epoll_event*, int, int, const sigset_t*)> real_epoll_pwait("epoll_pwait", nullptr);
Real<int(int, epoll_event*, int, const timespec*, const sigset_t*)> real_epoll_pwait2(
    "epoll_pwait2", nullptr);

[[gnu::constructor]] void find_early() {
  real_poll.prepare();
  real_ppoll.prepare();
  real_select.prepare();
  real_pselect.prepare();
  real_epoll.prepare();
  real_epoll_pwait.prepare();
}

std::int64_t deadline_of(int timeout_ms) {
  if (timeout_ms < 0) return kForEver;
  return timeout_ms == 0 ? kAtOnce : deadline_after(std::int64_t{timeout_ms} * 1'000'000);
}
std::int64_t deadline_of(const timespec* timeout) {
  if (timeout == nullptr) return kForEver;
  if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1'000'000'000)
    return kByLibc;
  const std::int64_t ns = to_ns(timeout->tv_sec, timeout->tv_nsec);
  return ns == 0 ? kAtOnce : deadline_after(ns);
}
std::int64_t deadline_of(const timeval* timeout) {
  if (timeout == nullptr) return kForEver;
  if (timeout->tv_sec < 0 || timeout->tv_usec < 0) return kByLibc;
  const std::int64_t ns =
      to_ns(timeout->tv_sec + timeout->tv_usec / 1'000'000, timeout->tv_usec % 1'000'000 * 1'000);
  return ns == 0 ? kAtOnce : deadline_after(ns);
}

// `now` asks without waiting: how many are ready, -1 for an error; `real` waits as libc does.
// `for_nothing`: no descriptor is asked for, which is a sleep; called when `now` has said 0.
template <class Time, class Now, class Wait, class ForNothing>
int wait_for_some(Tcb* self, const char* call, int descriptor, Time timeout, Now now, Wait real,
                  ForNothing for_nothing) {
  int result = 0;
  const Asked asked = ask_outside(
      self, call, descriptor, [&] { return deadline_of(timeout); },
      [&] { return (result = now()) != 0; }, for_nothing);
  return asked == Asked::kByLibc ? real() : result;
}

// The kernel leaves out what is negative.
bool asks_for_none(const pollfd* list, nfds_t count) {
  return std::all_of(list, list + count, [](const pollfd& one) { return one.fd < 0; });
}

// How many descriptors the kernel has room for now: it looks at no more bits of select's sets,
// whatever it was told. 0: that cannot be known. Room grows, but for a child's.
int room_for_descriptors() {
  iso::HeapScope process;
  int room = 0;
  if (std::FILE* status = std::fopen("/proc/thread-self/status", "re"); status != nullptr) {
    char line[256];
    while (room == 0 && std::fgets(line, sizeof line, status) != nullptr)
      std::sscanf(line, "FDSize: %d", &room);
    std::fclose(status);
  }
  return room;
}
// Of a count that is more than a set of libc's has; what is larger the program has made itself.
int with_room(int count) {
  static constinit int room = 0;
  static constinit pid_t of = 0;
  if (count <= FD_SETSIZE || (count <= room && of == getpid())) return count;
  const int found = room_for_descriptors();
  if (found == 0) return FD_SETSIZE;
  room = found;
  of = getpid();
  return std::clamp(room, FD_SETSIZE, count);
}

// The sets that select was given, which each question overwrites. Those of libc's size need no
// memory.
class Sets {
 public:
  Sets(int count, fd_set* a, fd_set* b, fd_set* c) : words_(words_of(count)), sets_{a, b, c} {
    if (words_ > kWordsOfSet)
      kept_ = large_ = new (std::nothrow) long[3 * static_cast<std::size_t>(words_)];
    if (kept_ == nullptr) return;
    long* to = kept_;
    for (fd_set* set : sets_) {
      if (set != nullptr) to = std::copy_n(reinterpret_cast<long*>(set), words_, to);
    }
  }
  ~Sets() { delete[] large_; }
  Sets(const Sets&) = delete;
  Sets& operator=(const Sets&) = delete;

  // Whether no descriptor is in any of them.
  bool empty() const {
    const auto sets = std::count_if(std::begin(sets_), std::end(sets_),
                                    [](const fd_set* set) { return set != nullptr; });
    return std::all_of(kept_, kept_ + sets * words_, [](long word) { return word == 0; });
  }
  // False: there was no memory, as errno says.
  bool kept() const {
    if (kept_ == nullptr) errno = ENOMEM;
    return kept_ != nullptr;
  }
  void restore() const {
    const long* from = kept_;
    for (fd_set* set : sets_) {
      if (set == nullptr) continue;
      std::copy(from, from + words_, reinterpret_cast<long*>(set));
      from += words_;
    }
  }

 private:
  static constexpr std::ptrdiff_t kWordsOfSet = sizeof(fd_set) / sizeof(long);

  static std::ptrdiff_t words_of(int count) {
    constexpr int kBits = 64;
    return count > 0 ? (with_room(count) + kBits - 1) / kBits : 0;
  }

  std::ptrdiff_t words_;
  fd_set* sets_[3];
  long small_[3 * kWordsOfSet];
  long* large_ = nullptr;
  long* kept_ = small_;
};

// What is left of it is told, as Linux does. `start_ns`: on the job's clock.
void tell_left(timeval* timeout, std::int64_t start_ns) {
  if (timeout == nullptr) return;
  const std::int64_t left = std::max<std::int64_t>(
      to_ns(timeout->tv_sec, timeout->tv_usec * 1'000) - (job_now_ns() - start_ns), 0);
  *timeout = {left / 1'000'000'000, left % 1'000'000'000 / 1'000};
}

std::int64_t deadline_of_socket(int descriptor, int option) {
  timeval timeout{};
  socklen_t bytes = sizeof timeout;
  if (getsockopt(descriptor, SOL_SOCKET, option, &timeout, &bytes) != 0) return kForEver;
  const std::int64_t ns = to_ns(timeout.tv_sec, timeout.tv_usec * 1'000);
  return ns == 0 ? kForEver : deadline_after(ns);
}

std::int64_t deadline_by(int descriptor, int fails_with, bool listens, int option) {
  const int error = errno;
  const int flags = fcntl(descriptor, F_GETFL);
  int listening = listens ? 1 : 0;
  socklen_t bytes = sizeof listening;
  std::int64_t until;
  if (flags < 0 || (flags & O_ACCMODE) == fails_with) {
    until = kByLibc;
  } else if ((flags & O_NONBLOCK) != 0) {
    until = kAtOnce;
  } else {
    getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &bytes);
    until = (listening != 0) == listens ? deadline_of_socket(descriptor, option) : kByLibc;
  }
  errno = error;
  return until;
}

int poll_from(Tcb* self, pollfd* list, nfds_t count, int timeout) {
  return wait_for_some(
      self, "poll", -1, timeout, [&] { return real_poll(list, count, 0); },
      [&] { return real_poll(list, count, timeout); }, [&] { return asks_for_none(list, count); });
}

int ppoll_from(Tcb* self, pollfd* list, nfds_t count, const timespec* timeout,
               const sigset_t* mask) {
  return wait_for_some(
      self, "ppoll", -1, timeout, [&] { return real_ppoll(list, count, &kNoTime, mask); },
      [&] { return real_ppoll(list, count, timeout, mask); },
      [&] { return mask == nullptr && asks_for_none(list, count); });
}

template <class Time, class Now, class Wait>
int wait_for_events(Tcb* self, const char* call, int epoll, Time timeout, Now now, Wait real) {
  return wait_for_some(self, call, epoll, timeout, now, real, [] { return false; });
}

}  // namespace

bool is_ready(int descriptor, short events) {
  pollfd one{descriptor, events, 0};
  const int error = errno;
  const int count = real_poll(&one, 1, 0);
  const bool ready = count > 0 || (count < 0 && errno != EINTR);
  errno = error;
  return ready;
}

std::int64_t read_deadline(int descriptor) {
  return deadline_by(descriptor, O_WRONLY, false, SO_RCVTIMEO);
}
std::int64_t accept_deadline(int descriptor) {
  return deadline_by(descriptor, O_WRONLY, true, SO_RCVTIMEO);
}
std::int64_t write_deadline(int descriptor) {
  return deadline_by(descriptor, O_RDONLY, false, SO_SNDTIMEO);
}

void note_vain(Tcb* self, bool vain) {
  if (!vain || self == nullptr) return;
  const int error = errno;
  if (!in_handler(self)) asked_in_vain(self);
  errno = error;
}

}  // namespace roam::threads::wait_calls

using roam::threads::Tcb;
using namespace roam::threads::wait_calls;

ROAM_EXPORT int poll(pollfd* list, nfds_t count, int timeout) {
  return poll_from(asker(__builtin_return_address(0)), list, count, timeout);
}
ROAM_EXPORT int ppoll(pollfd* list, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  return ppoll_from(asker(__builtin_return_address(0)), list, count, timeout, mask);
}
// The forms that compilers call where they know the size of the list, in bytes.
ROAM_EXPORT int __poll_chk(pollfd* list, nfds_t count, int timeout, std::size_t bytes) {
  if (bytes / sizeof *list < count) return real_poll_chk(list, count, timeout, bytes);
  return poll_from(asker(__builtin_return_address(0)), list, count, timeout);
}
ROAM_EXPORT int __ppoll_chk(pollfd* list, nfds_t count, const timespec* timeout,
                            const sigset_t* mask, std::size_t bytes) {
  if (bytes / sizeof *list < count) return real_ppoll_chk(list, count, timeout, mask, bytes);
  return ppoll_from(asker(__builtin_return_address(0)), list, count, timeout, mask);
}

ROAM_EXPORT int select(int count, fd_set* in, fd_set* out, fd_set* other, timeval* timeout) {
  Tcb* self = asker(__builtin_return_address(0));
  if (self == nullptr) return real_select(count, in, out, other, timeout);
  const Sets sets(count, in, out, other);
  if (!sets.kept()) return -1;
  const std::int64_t start = roam::job_now_ns();
  bool libcs = false;
  const int result = wait_for_some(
      self, "select", -1, timeout,
      [&] {
        timeval no_time{};
        sets.restore();
        return real_select(count, in, out, other, &no_time);
      },
      [&] {
        sets.restore();
        libcs = true;
        return real_select(count, in, out, other, timeout);
      },
      [&] { return sets.empty(); });
  if (result >= 0 && !libcs) tell_left(timeout, start);
  return result;
}

ROAM_EXPORT int pselect(int count, fd_set* in, fd_set* out, fd_set* other, const timespec* timeout,
                        const sigset_t* mask) {
  Tcb* self = asker(__builtin_return_address(0));
  if (self == nullptr) return real_pselect(count, in, out, other, timeout, mask);
  const Sets sets(count, in, out, other);
  if (!sets.kept()) return -1;
  const auto ask = [&](const timespec* time) {
    sets.restore();
    return real_pselect(count, in, out, other, time, mask);
  };
  return wait_for_some(
      self, "pselect", -1, timeout, [&] { return ask(&kNoTime); }, [&] { return ask(timeout); },
      [&] { return mask == nullptr && sets.empty(); });
}

ROAM_EXPORT int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
  return wait_for_events(
      asker(__builtin_return_address(0)), "epoll_wait", epoll, timeout,
      [&] { return real_epoll(epoll, events, most, 0); },
      [&] { return real_epoll(epoll, events, most, timeout); });
}
ROAM_EXPORT int epoll_pwait(int epoll, epoll_event* events, int most, int timeout,
                            const sigset_t* mask) {
  return wait_for_events(
      asker(__builtin_return_address(0)), "epoll_pwait", epoll, timeout,
      [&] { return real_epoll_pwait(epoll, events, most, 0, mask); },
      [&] { return real_epoll_pwait(epoll, events, most, timeout, mask); });
}
ROAM_EXPORT int epoll_pwait2(int epoll, epoll_event* events, int most, const timespec* timeout,
                             const sigset_t* mask) {
  return wait_for_events(
      asker(__builtin_return_address(0)), "epoll_pwait2", epoll, timeout,
      [&] { return real_epoll_pwait2(epoll, events, most, &kNoTime, mask); },
      [&] { return real_epoll_pwait2(epoll, events, most, timeout, mask); });
}
