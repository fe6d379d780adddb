// Calls that do something with a descriptor: with one that is not the virtual rank's they fail, as
// in a process, where that number is not open.

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <iterator>
#include <utility>

#include "mpi/image/image.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

Descriptors& descriptors() { return Image::running()->descriptors(); }

// Of all of these the first argument is the descriptor, the others are integers and pointers, no
// more than five, handed on as they are; what fails gives -1.
using Real = long (*)(long, long, long, long, long, long);

constexpr const char* kCalls[] = {
    "read", "__read", "__read_chk", "pread", "pread64", "__pread64", "__pread_chk", "__pread64_chk",
    "readv", "preadv", "preadv2", "preadv64", "preadv64v2", "readahead", "getdents64",
    "write", "__write", "pwrite", "pwrite64", "__pwrite64", "writev", "pwritev", "pwritev2",
    "pwritev64", "pwritev64v2", "vdprintf", "__vdprintf_chk", "lseek", "__lseek", "lseek64",
    "ftruncate", "ftruncate64", "fallocate", "fallocate64", "fsync", "fdatasync", "syncfs",
    "sync_file_range", "sendfile", "sendfile64", "splice", "tee", "vmsplice", "copy_file_range",
    "fchmod", "fchown", "futimens", "futimes", "flock", "lockf", "lockf64", "ioctl", "fstatfs",
    "fstatfs64", "fstatvfs", "fstatvfs64", "fgetxattr", "fsetxattr", "flistxattr", "fremovexattr",
    "bind", "connect", "__connect", "listen", "shutdown", "getsockname", "getpeername",
    "getsockopt", "setsockopt", "sockatmark", "send", "__send", "sendto", "sendmsg", "sendmmsg",
    "recv", "__recv", "__recv_chk", "recvfrom", "__recvfrom_chk", "epoll_ctl", "epoll_wait",
    "epoll_pwait", "epoll_pwait2", "eventfd_read", "eventfd_write", "timerfd_settime",
    "timerfd_gettime", "inotify_add_watch", "inotify_rm_watch", "fanotify_mark", "mq_send",
    "mq_timedsend", "mq_receive", "mq_timedreceive", "mq_getattr", "mq_setattr", "mq_notify",
    "tcgetattr", "tcsetattr", "tcsendbreak", "tcdrain", "tcflush", "tcflow", "tcgetpgrp",
    "tcsetpgrp", "tcgetsid", "grantpt", "unlockpt", "fstatat", "fstatat64", "mkdirat", "mknodat",
    "mkfifoat", "unlinkat", "readlinkat", "renameat", "renameat2", "linkat", "faccessat",
    "fchmodat", "fchownat", "utimensat", "futimesat", "statx", "name_to_handle_at",
};
// Asked whether a number is open, they say so and are not told of.
constexpr const char* kQuestions[] = {"fstat", "fstat64", "__fstat64"};

constexpr std::size_t kCount = std::size(kCalls), kAll = kCount + std::size(kQuestions);
constexpr const char* name_of(std::size_t i) {
  return i < kCount ? kCalls[i] : kQuestions[i - kCount];
}
Real real_calls[kAll];

template <std::size_t kIndex>
long checked(long descriptor, long b, long c, long d, long e, long f) {
  if (descriptors().may_use(static_cast<int>(descriptor))) [[likely]]
    return real_calls[kIndex](descriptor, b, c, d, e, f);
  if (kIndex < kCount) descriptors().report_foreign(static_cast<int>(descriptor));
  errno = EBADF;
  return -1;
}
template <std::size_t... kIndex>
void add_checked(std::index_sequence<kIndex...>) {
  const auto add = [](std::size_t i, auto* call) {
    const void* real = process_symbol(name_of(i), {});
    if (real == nullptr) return;  // not in this libc
    real_calls[i] = reinterpret_cast<Real>(const_cast<void*>(real));
    add_launcher_call(name_of(i), call);
  };
  (add(kIndex, &checked<kIndex>), ...);
}

int stat_by_version(int version, int descriptor, struct stat* to) {
  if (version == 1 && descriptors().may_use(descriptor)) return ::fstat(descriptor, to);
  errno = version == 1 ? EBADF : EINVAL;
  return -1;
}

// These may be given numbers with fractions, which lie elsewhere.
int print_list(int descriptor, const char* format, va_list arguments) {
  if (descriptors().may_use(descriptor)) return ::vdprintf(descriptor, format, arguments);
  descriptors().report_foreign(descriptor);
  errno = EBADF;
  return -1;
}
int print(int descriptor, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int count = print_list(descriptor, format, arguments);
  va_end(arguments);
  return count;
}
int print_checked(int descriptor, int, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int count = print_list(descriptor, format, arguments);
  va_end(arguments);
  return count;
}

int is_terminal(int descriptor) {
  if (descriptors().may_use(descriptor)) return ::isatty(descriptor);
  errno = EBADF;
  return 0;
}

}  // namespace

void add_own_descriptor_calls() {
  add_checked(std::make_index_sequence<kAll>());
  for (const char* name : {"__fxstat", "__fxstat64"}) add_launcher_call(name, &stat_by_version);
  add_launcher_call("dprintf", &print);
  add_launcher_call("__dprintf_chk", &print_checked);
  add_launcher_call("isatty", &is_terminal);
}

}  // namespace roam::mpi
