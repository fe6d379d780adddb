// Calls that open and close descriptors.

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

#include "mpi/image/image.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

Descriptors& descriptors() { return Image::running()->descriptors(); }

mode_t mode_of(int flags, va_list rest) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

int open_file(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return descriptors().opened(::open(path, flags, mode));
}
int open_file_at(int folder, const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return descriptors().opened(::openat(folder, path, flags, mode));
}
int open_checked(const char* path, int flags) {
  return descriptors().opened(::open(path, flags, 0));
}

// A call that gives one.
template <auto kCall, class... A>
int opening(A... arguments) {
  return descriptors().opened(kCall(arguments...));
}

int make_pair(int result, const int* pair) {
  if (result != 0) return result;
  descriptors().opened(pair[0]);
  descriptors().opened(pair[1]);
  return 0;
}
int make_pipe(int* pair) { return make_pair(::pipe(pair), pair); }
int make_pipe2(int* pair, int flags) { return make_pair(::pipe2(pair, flags), pair); }
int make_sockets(int domain, int type, int protocol, int* pair) {
  return make_pair(::socketpair(domain, type, protocol, pair), pair);
}

// Over a standard one it would be for all virtual ranks of the process.
int duplicate_over(int from, int to, int flags) {
  if (to >= 0 && to <= STDERR_FILENO && from != to) {
    errno = EPERM;
    return -1;
  }
  return descriptors().opened(flags < 0 ? ::dup2(from, to) : ::dup3(from, to, flags));
}
int duplicate_to(int from, int to) {
  return from == to ? ::dup2(from, to) : duplicate_over(from, to, -1);
}

int close_descriptor(int descriptor) { return descriptors().close(descriptor); }

}  // namespace

void add_descriptor_calls() {
  add_launcher_call("open", &open_file);
  add_launcher_call("open64", &open_file);
  add_launcher_call("__open_2", &open_checked);
  add_launcher_call("__open64_2", &open_checked);
  add_launcher_call("openat", &open_file_at);
  add_launcher_call("openat64", &open_file_at);
  add_launcher_call("creat", &opening<::creat, const char*, mode_t>);
  add_launcher_call("creat64", &opening<::creat, const char*, mode_t>);
  add_launcher_call("mkstemp", &opening<::mkstemp, char*>);
  add_launcher_call("mkstemp64", &opening<::mkstemp, char*>);
  add_launcher_call("mkostemp", &opening<::mkostemp, char*, int>);
  add_launcher_call("mkostemp64", &opening<::mkostemp, char*, int>);
  add_launcher_call("socket", &opening<::socket, int, int, int>);
  add_launcher_call("accept", &opening<::accept, int, sockaddr*, socklen_t*>);
  add_launcher_call("accept4", &opening<::accept4, int, sockaddr*, socklen_t*, int>);
  add_launcher_call("epoll_create1", &opening<::epoll_create1, int>);
  add_launcher_call("eventfd", &opening<::eventfd, unsigned, int>);
  add_launcher_call("timerfd_create", &opening<::timerfd_create, clockid_t, int>);
  add_launcher_call("dup", &opening<::dup, int>);
  add_launcher_call("dup2", &duplicate_to);
  add_launcher_call("dup3", &duplicate_over);
  add_launcher_call("pipe", &make_pipe);
  add_launcher_call("pipe2", &make_pipe2);
  add_launcher_call("socketpair", &make_sockets);
  add_launcher_call("close", &close_descriptor);
}

}  // namespace roam::mpi
