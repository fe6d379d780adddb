// Waits for input of one descriptor, or for a connection.

// The C library's checked headers define some of the functions that are defined here.
#undef _FORTIFY_SOURCE

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "threads/descriptor_waits.h"
#include "threads/kernel_reach.h"

namespace {

using roam::threads::reach_for_kernel;
using roam::threads::Tcb;
using namespace roam::threads::wait_calls;

Real<ssize_t(int, void*, std::size_t)> real_read("read", nullptr);
Real<ssize_t(int, void*, std::size_t, std::size_t)> real_read_chk("__read_chk", nullptr);
Real<ssize_t(int, const iovec*, int)> real_readv("readv", nullptr);
Real<ssize_t(int, void*, std::size_t, int)> real_recv("recv", nullptr);
Real<ssize_t(int, void*, std::size_t, std::size_t, int)> real_recv_chk("__recv_chk", nullptr);
Real<ssize_t(int, void*, std::size_t, int, sockaddr*, socklen_t*)> real_recvfrom("recvfrom",
                                                                                 nullptr);
Real<ssize_t(int, void*, std::size_t, std::size_t, int, sockaddr*, socklen_t*)> real_recvfrom_chk(
    "__recvfrom_chk", nullptr);
Real<ssize_t(int, msghdr*, int)> real_recvmsg("recvmsg", nullptr);
Real<int(int, sockaddr*, socklen_t*)> real_accept("accept", nullptr);
Real<int(int, sockaddr*, socklen_t*, int)> real_accept4("accept4", nullptr);

[[gnu::constructor]] void find_early() {
  real_read.prepare();
  real_readv.prepare();
  real_recv.prepare();
  real_recvfrom.prepare();
  real_recvmsg.prepare();
  real_accept.prepare();
  real_accept4.prepare();
}

int time_is_over() {
  errno = EAGAIN;
  return -1;
}

// Calls `real` when there is something. A regular file always has: that costs one question.
template <class F>
auto when_ready(Tcb* self, const char* call, int descriptor, std::int64_t deadline(int), F real) {
  std::int64_t until = kForEver;
  const Asked asked = ask_outside(
      self, call, descriptor, [&] { return until = deadline(descriptor); },
      [&] { return is_ready(descriptor, POLLIN); });
  if (asked == Asked::kTimeOut && until != kAtOnce) return decltype(real())(time_is_over());
  return real();
}

constexpr int kNeverWait = MSG_DONTWAIT | MSG_ERRQUEUE | MSG_OOB;

bool is_stream(int socket) {
  int type = 0;
  socklen_t bytes = sizeof type;
  return getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &bytes) == 0 && type == SOCK_STREAM;
}

// `receive(flags)` is asked without waiting, which also finds out whether there is something.
template <class F>
ssize_t receive_by(Tcb* self, const char* call, int socket, int flags, F receive) {
  if ((flags & kNeverWait) != 0 || self == nullptr) {
    const ssize_t result = receive(flags);
    note_vain(self, result < 0 && errno == EAGAIN);
    return result;
  }
  ssize_t result = -1;
  const Asked asked = ask_outside(
      self, call, socket, [&] { return read_deadline(socket); },
      [&] {
        result = receive(flags | MSG_DONTWAIT);
        return result >= 0 || (errno != EAGAIN && errno != EINTR);
      });
  if (asked == Asked::kByLibc) return receive(flags);
  return asked == Asked::kTimeOut ? time_is_over() : result;
}

// Of a stream, with MSG_WAITALL: until all is there.
template <class F>
ssize_t receive_all(Tcb* self, const char* call, int socket, char* to, std::size_t bytes, int flags,
                    F receive) {
  std::size_t got = 0;
  while (got < bytes) {
    const ssize_t n = receive_by(self, call, socket, flags & ~MSG_WAITALL,
                                 [&](int with) { return receive(to + got, bytes - got, with); });
    if (n < 0 && got == 0) return n;
    if (n <= 0) break;
    got += static_cast<std::size_t>(n);
  }
  return static_cast<ssize_t>(got);
}

template <class F>
ssize_t receive_some(Tcb* self, const char* call, int socket, void* to, std::size_t bytes,
                     int flags, F receive) {
  reach_for_kernel(to, bytes);
  if ((flags & (MSG_WAITALL | MSG_PEEK | kNeverWait)) == MSG_WAITALL && is_stream(socket) &&
      self != nullptr && read_deadline(socket) != kAtOnce) {
    return receive_all(self, call, socket, static_cast<char*>(to), bytes, flags, receive);
  }
  return receive_by(self, call, socket, flags, [&](int with) { return receive(to, bytes, with); });
}

ssize_t recv_from(Tcb* self, int socket, void* to, std::size_t bytes, int flags) {
  return receive_some(
      self, "recv", socket, to, bytes, flags,
      [&](void* at, std::size_t n, int with) { return real_recv(socket, at, n, with); });
}
ssize_t recvfrom_from(Tcb* self, int socket, void* to, std::size_t bytes, int flags, sockaddr* name,
                      socklen_t* name_bytes) {
  reach_for_kernel(name, name_bytes);
  return receive_some(self, "recvfrom", socket, to, bytes, flags,
                      [&](void* at, std::size_t n, int with) {
                        return real_recvfrom(socket, at, n, with, name, name_bytes);
                      });
}
ssize_t read_from(Tcb* self, int fd, void* to, std::size_t bytes) {
  if (bytes == 0) return real_read(fd, to, bytes);
  reach_for_kernel(to, bytes);
  return when_ready(self, "read", fd, read_deadline, [&] { return real_read(fd, to, bytes); });
}

}  // namespace

ROAM_EXPORT ssize_t read(int fd, void* to, std::size_t bytes) {
  return read_from(asker(__builtin_return_address(0)), fd, to, bytes);
}
// The forms that compilers call where they know how large the room is.
ROAM_EXPORT ssize_t __read_chk(int fd, void* to, std::size_t bytes, std::size_t room) {
  if (bytes > room) return real_read_chk(fd, to, bytes, room);
  return read_from(asker(__builtin_return_address(0)), fd, to, bytes);
}
ROAM_EXPORT ssize_t readv(int fd, const iovec* parts, int count) {
  Tcb* self = asker(__builtin_return_address(0));
  reach_for_kernel(parts, count);
  // For nothing nobody waits, nor to be told that it is wrong.
  if (self == nullptr || parts == nullptr || count <= 0 || count > IOV_MAX ||
      std::all_of(parts, parts + count, [](const iovec& part) { return part.iov_len == 0; })) {
    return real_readv(fd, parts, count);
  }
  return when_ready(self, "readv", fd, read_deadline, [&] { return real_readv(fd, parts, count); });
}
ROAM_EXPORT int eventfd_read(int fd, eventfd_t* value) {
  return read_from(asker(__builtin_return_address(0)), fd, value, sizeof *value) == sizeof *value
             ? 0
             : -1;
}

ROAM_EXPORT ssize_t recv(int socket, void* to, std::size_t bytes, int flags) {
  return recv_from(asker(__builtin_return_address(0)), socket, to, bytes, flags);
}
ROAM_EXPORT ssize_t __recv_chk(int socket, void* to, std::size_t bytes, std::size_t room,
                               int flags) {
  if (bytes > room) return real_recv_chk(socket, to, bytes, room, flags);
  return recv_from(asker(__builtin_return_address(0)), socket, to, bytes, flags);
}
ROAM_EXPORT ssize_t recvfrom(int socket, void* to, std::size_t bytes, int flags, sockaddr* name,
                             socklen_t* name_bytes) {
  return recvfrom_from(asker(__builtin_return_address(0)), socket, to, bytes, flags, name,
                       name_bytes);
}
ROAM_EXPORT ssize_t __recvfrom_chk(int socket, void* to, std::size_t bytes, std::size_t room,
                                   int flags, sockaddr* name, socklen_t* name_bytes) {
  if (bytes > room) return real_recvfrom_chk(socket, to, bytes, room, flags, name, name_bytes);
  return recvfrom_from(asker(__builtin_return_address(0)), socket, to, bytes, flags, name,
                       name_bytes);
}
// With MSG_WAITALL it waits for the first part only, then as libc does.
ROAM_EXPORT ssize_t recvmsg(int socket, msghdr* message, int flags) {
  Tcb* self = asker(__builtin_return_address(0));
  reach_for_kernel(message);
  if ((flags & (MSG_WAITALL | kNeverWait)) == MSG_WAITALL) {
    return when_ready(self, "recvmsg", socket, read_deadline,
                      [&] { return real_recvmsg(socket, message, flags); });
  }
  return receive_by(self, "recvmsg", socket, flags,
                    [&](int with) { return real_recvmsg(socket, message, with); });
}

ROAM_EXPORT int accept(int socket, sockaddr* name, socklen_t* bytes) {
  reach_for_kernel(name, bytes);
  return when_ready(asker(__builtin_return_address(0)), "accept", socket, accept_deadline,
                    [&] { return real_accept(socket, name, bytes); });
}
ROAM_EXPORT int accept4(int socket, sockaddr* name, socklen_t* bytes, int flags) {
  reach_for_kernel(name, bytes);
  return when_ready(asker(__builtin_return_address(0)), "accept4", socket, accept_deadline,
                    [&] { return real_accept4(socket, name, bytes, flags); });
}
