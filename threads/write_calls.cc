// Waits for room in a pipe or socket, and for a connection to be taken.

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

Real<ssize_t(int, const void*, std::size_t)> real_write("write", nullptr);
Real<ssize_t(int, const iovec*, int)> real_writev("writev", nullptr);
Real<ssize_t(int, const void*, std::size_t, int)> real_send("send", nullptr);
Real<ssize_t(int, const void*, std::size_t, int, const sockaddr*, socklen_t)> real_sendto("sendto",
                                                                                          nullptr);
Real<ssize_t(int, const msghdr*, int)> real_sendmsg("sendmsg", nullptr);
Real<int(int, const sockaddr*, socklen_t)> real_connect("connect", nullptr);

[[gnu::constructor]] void find_early() {
  real_write.prepare();
  real_writev.prepare();
  real_send.prepare();
  real_sendto.prepare();
  real_sendmsg.prepare();
  real_connect.prepare();
}

enum class Kind { kOther, kPipe, kSocket };
// Others always have room, or are drained by nobody here.
Kind kind_of(int fd) {
  struct stat found;
  if (fstat(fd, &found) != 0) return Kind::kOther;
  if (S_ISFIFO(found.st_mode)) return Kind::kPipe;
  return S_ISSOCK(found.st_mode) ? Kind::kSocket : Kind::kOther;
}

// A pipe that has room has it for so much (pipe(7)), and takes that whole.
constexpr std::size_t kPipePart = 4096;

ssize_t fill_pipe(Tcb* self, const char* call, int fd, const char* data, std::size_t bytes) {
  std::size_t done = 0;
  do {
    const std::size_t part = std::min(bytes - done, kPipePart);
    std::int64_t until = kForEver;
    const Asked asked = ask_outside(
        self, call, fd, [&] { return until = write_deadline(fd); },
        [&] { return is_ready(fd, POLLOUT); });
    const bool whole = asked == Asked::kByLibc || until == kAtOnce;
    const ssize_t n = real_write(fd, data + done, whole ? bytes - done : part);
    if (n < 0) return done > 0 ? static_cast<ssize_t>(done) : n;
    done += static_cast<std::size_t>(n);
    if (whole || static_cast<std::size_t>(n) < part) break;
  } while (done < bytes);
  return static_cast<ssize_t>(done);
}

// `send(done, flags)` sends what is left; all is sent, as libc does where it waits.
template <class F>
ssize_t send_all(Tcb* self, const char* call, int socket, std::size_t bytes, int flags, F send) {
  std::size_t done = 0;
  ssize_t result = -1;
  const Asked asked = ask_outside(
      self, call, socket, [&] { return write_deadline(socket); },
      [&] {
        for (;;) {
          result = send(done, flags | MSG_DONTWAIT);
          if (result < 0) return errno != EAGAIN && errno != EINTR;
          done += static_cast<std::size_t>(result);
          if (done >= bytes || result == 0) return true;
        }
      });
  if (asked == Asked::kByLibc) {
    result = send(done, flags);
    if (result > 0) done += static_cast<std::size_t>(result);
  }
  if (done > 0 || result >= 0) return static_cast<ssize_t>(done);
  if (asked == Asked::kTimeOut) errno = EAGAIN;
  return -1;
}

template <class F>
ssize_t send_by(Tcb* self, const char* call, int socket, std::size_t bytes, int flags, F send) {
  if ((flags & MSG_DONTWAIT) == 0 && self != nullptr)
    return send_all(self, call, socket, bytes, flags, send);
  const ssize_t result = send(0, flags);
  note_vain(self, result < 0 && errno == EAGAIN);
  return result;
}

std::size_t bytes_of(const iovec* parts, std::size_t count) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) bytes += parts[i].iov_len;
  return bytes;
}

ssize_t send_message(Tcb* self, const char* call, int socket, const msghdr* message, int flags) {
  reach_for_kernel(message);
  const std::size_t bytes = bytes_of(message->msg_iov, message->msg_iovlen);
  return send_by(self, call, socket, bytes, flags, [&](std::size_t done, int with) -> ssize_t {
    if (done == 0) return real_sendmsg(socket, message, with);
    // Names and control data went with the first part of a stream.
    const iovec* part = message->msg_iov;
    for (; done >= part->iov_len; ++part) done -= part->iov_len;
    return real_send(socket, static_cast<const char*>(part->iov_base) + done, part->iov_len - done,
                     with);
  });
}

ssize_t write_from(Tcb* self, int fd, const void* data, std::size_t bytes) {
  reach_for_kernel(data, bytes);
  const Kind kind = self != nullptr && bytes != 0 ? kind_of(fd) : Kind::kOther;
  const char* from = static_cast<const char*>(data);
  if (kind == Kind::kPipe) return fill_pipe(self, "write", fd, from, bytes);
  if (kind == Kind::kOther) return real_write(fd, data, bytes);
  return send_by(self, "write", fd, bytes, 0, [&](std::size_t done, int with) {
    return real_send(fd, from + done, bytes - done, with);
  });
}

ssize_t writev_to_pipe(Tcb* self, int fd, const iovec* parts, int count) {
  const std::size_t bytes = bytes_of(parts, static_cast<std::size_t>(count));
  if (bytes <= kPipePart) {
    if (bytes == 0) self = nullptr;  // it does not wait
    ask_outside(
        self, "writev", fd, [&] { return write_deadline(fd); },
        [&] { return is_ready(fd, POLLOUT); });
    return real_writev(fd, parts, count);
  }
  std::size_t done = 0;
  for (int i = 0; i < count; ++i) {
    if (parts[i].iov_len == 0) continue;
    const ssize_t n = fill_pipe(self, "writev", fd, static_cast<const char*>(parts[i].iov_base),
                                parts[i].iov_len);
    if (n < 0 && done == 0) return n;
    if (n > 0) done += static_cast<std::size_t>(n);
    if (n < 0 || static_cast<std::size_t>(n) < parts[i].iov_len) break;
  }
  return static_cast<ssize_t>(done);
}

// As O_NONBLOCK, for this call.
int connect_now(int socket, int flags, const sockaddr* name, socklen_t bytes) {
  fcntl(socket, F_SETFL, flags | O_NONBLOCK);
  const int result = real_connect(socket, name, bytes);
  const int error = errno;
  fcntl(socket, F_SETFL, flags);
  errno = error;
  return result;
}

int connect_from(Tcb* self, int socket, const sockaddr* name, socklen_t bytes) {
  const int flags = self != nullptr ? fcntl(socket, F_GETFL) : -1;
  if (flags < 0 || (flags & O_NONBLOCK) != 0) return real_connect(socket, name, bytes);
  int result = -1;
  const auto deadline = [&] { return write_deadline(socket); };
  // That of a local socket which has too many waiting is not under way: it is asked again.
  Asked asked = ask_outside(self, "connect", socket, deadline, [&] {
    result = connect_now(socket, flags, name, bytes);
    return result == 0 || errno != EAGAIN;
  });
  if (asked == Asked::kByLibc) return real_connect(socket, name, bytes);
  if (asked == Asked::kTimeOut) errno = EAGAIN;
  if (asked == Asked::kTimeOut || result == 0 || errno != EINPROGRESS) return result;
  asked = ask_outside(self, "connect", socket, deadline, [&] { return is_ready(socket, POLLOUT); });
  if (asked == Asked::kByLibc) {
    pollfd one{socket, POLLOUT, 0};
    while (poll(&one, 1, -1) < 0 && errno == EINTR) {
    }
    asked = Asked::kDone;
  }
  int error = EINPROGRESS;
  socklen_t error_bytes = sizeof error;
  if (asked == Asked::kDone) getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &error_bytes);
  errno = error;
  return error == 0 ? 0 : -1;
}

}  // namespace

ROAM_EXPORT ssize_t write(int fd, const void* data, std::size_t bytes) {
  return write_from(asker(__builtin_return_address(0)), fd, data, bytes);
}
ROAM_EXPORT ssize_t writev(int fd, const iovec* parts, int count) {
  Tcb* self = asker(__builtin_return_address(0));
  reach_for_kernel(parts, count);
  const bool is_right = count > 0 && count <= IOV_MAX;
  const Kind kind = self != nullptr && is_right ? kind_of(fd) : Kind::kOther;
  if (kind == Kind::kPipe) return writev_to_pipe(self, fd, parts, count);
  if (kind == Kind::kOther) return real_writev(fd, parts, count);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<std::size_t>(count);
  return send_message(self, "writev", fd, &message, 0);
}
ROAM_EXPORT int eventfd_write(int fd, eventfd_t value) {
  Tcb* self = asker(__builtin_return_address(0));
  ask_outside(
      self, "eventfd_write", fd, [&] { return write_deadline(fd); },
      [&] { return is_ready(fd, POLLOUT); });
  return real_write(fd, &value, sizeof value) == sizeof value ? 0 : -1;
}

ROAM_EXPORT ssize_t send(int socket, const void* data, std::size_t bytes, int flags) {
  const char* from = static_cast<const char*>(data);
  reach_for_kernel(data, bytes);
  return send_by(asker(__builtin_return_address(0)), "send", socket, bytes, flags,
                 [&](std::size_t done, int with) {
                   return real_send(socket, from + done, bytes - done, with);
                 });
}
ROAM_EXPORT ssize_t sendto(int socket, const void* data, std::size_t bytes, int flags,
                           const sockaddr* name, socklen_t name_bytes) {
  const char* from = static_cast<const char*>(data);
  reach_for_kernel(data, bytes);
  reach_for_kernel(name, name_bytes);
  return send_by(asker(__builtin_return_address(0)), "sendto", socket, bytes, flags,
                 [&](std::size_t done, int with) {
                   return real_sendto(socket, from + done, bytes - done, with, name, name_bytes);
                 });
}
ROAM_EXPORT ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  return send_message(asker(__builtin_return_address(0)), "sendmsg", socket, message, flags);
}

ROAM_EXPORT int connect(int socket, const sockaddr* name, socklen_t bytes) {
  return connect_from(asker(__builtin_return_address(0)), socket, name, bytes);
}
