// Calls that do something with a descriptor: with one that is not the virtual rank's they fail, as
// in a process, where that number is not open.

#include <aio.h>
#include <sys/ioctl.h>
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

// Of all of these the arguments are integers and pointers, at most six, handed on as they are.
using Real = long (*)(long, long, long, long, long, long);

// Which arguments are descriptors; what fails gives -1 unless it is said otherwise.
constexpr unsigned kFirst = 1, kSecond = 2, kThird = 4, kFourth = 8;
constexpr unsigned kQuestion = 16;    // asks whether a number is open, and is not told of
constexpr unsigned kGivesError = 32;  // the number of the error
struct Call {
  const char* name;
  unsigned kind = kFirst;
};
constexpr Call kCalls[] = {
    {"read"},
    {"__read"},
    {"__read_chk"},
    {"pread"},
    {"pread64"},
    {"__pread64"},
    {"__pread_chk"},
    {"__pread64_chk"},
    {"readv"},
    {"preadv"},
    {"preadv2"},
    {"preadv64"},
    {"preadv64v2"},
    {"readahead"},
    {"getdents64"},
    {"write"},
    {"__write"},
    {"pwrite"},
    {"pwrite64"},
    {"__pwrite64"},
    {"writev"},
    {"pwritev"},
    {"pwritev2"},
    {"pwritev64"},
    {"pwritev64v2"},
    {"vdprintf"},
    {"__vdprintf_chk"},
    {"lseek"},
    {"__lseek"},
    {"lseek64"},
    {"ftruncate"},
    {"ftruncate64"},
    {"fallocate"},
    {"fallocate64"},
    {"fsync"},
    {"fdatasync"},
    {"syncfs"},
    {"sync_file_range"},
    {"sendfile", kFirst | kSecond},
    {"sendfile64", kFirst | kSecond},
    {"splice", kFirst | kThird},
    {"tee", kFirst | kSecond},
    {"vmsplice"},
    {"copy_file_range", kFirst | kThird},
    {"fchmod"},
    {"fchown"},
    {"futimens"},
    {"futimes"},
    {"flock"},
    {"fstatfs"},
    {"fstatfs64"},
    {"fstatvfs"},
    {"fstatvfs64"},
    {"fgetxattr"},
    {"fsetxattr"},
    {"flistxattr"},
    {"fremovexattr"},
    {"bind"},
    {"connect"},
    {"__connect"},
    {"listen"},
    {"shutdown"},
    {"getsockname"},
    {"getpeername"},
    {"getsockopt"},
    {"setsockopt"},
    {"sockatmark"},
    {"send"},
    {"__send"},
    {"sendto"},
    {"sendmsg"},
    {"sendmmsg"},
    {"recv"},
    {"__recv"},
    {"__recv_chk"},
    {"recvfrom"},
    {"__recvfrom_chk"},
    {"epoll_ctl", kFirst | kThird},
    {"epoll_wait"},
    {"epoll_pwait"},
    {"epoll_pwait2"},
    {"eventfd_read"},
    {"eventfd_write"},
    {"timerfd_settime"},
    {"timerfd_gettime"},
    {"inotify_add_watch"},
    {"inotify_rm_watch"},
    {"fanotify_mark", kFirst | kFourth},
    {"mq_send"},
    {"mq_timedsend"},
    {"mq_receive"},
    {"mq_timedreceive"},
    {"mq_getattr"},
    {"mq_setattr"},
    {"mq_notify"},
    {"tcgetattr"},
    {"tcsetattr"},
    {"tcsendbreak"},
    {"tcdrain"},
    {"tcflush"},
    {"tcflow"},
    {"tcgetpgrp"},
    {"tcsetpgrp"},
    {"tcgetsid"},
    {"grantpt"},
    {"unlockpt"},
    {"fstatat"},
    {"fstatat64"},
    {"mkdirat"},
    {"mknodat"},
    {"mkfifoat"},
    {"unlinkat"},
    {"readlinkat"},
    {"renameat", kFirst | kThird},
    {"renameat2", kFirst | kThird},
    {"linkat", kFirst | kThird},
    {"faccessat"},
    {"fchmodat"},
    {"fchownat"},
    {"utimensat"},
    {"futimesat"},
    {"statx"},
    {"name_to_handle_at"},
    {"fpathconf"},
    {"isfdtype"},
    {"scandirat"},
    {"scandirat64"},
    {"bindresvport"},
    {"pidfd_send_signal"},
    {"process_madvise"},
    {"fsconfig"},
    {"mount_setattr"},
    {"move_mount", kFirst | kThird},
    {"symlinkat", kSecond},
    {"__fxstatat", kSecond},
    {"__fxstatat64", kSecond},
    {"__xmknodat", kSecond},
    {"fstat", kFirst | kQuestion},
    {"fstat64", kFirst | kQuestion},
    {"__fstat64", kFirst | kQuestion},
    {"posix_fadvise", kFirst | kGivesError},
    {"posix_fadvise64", kFirst | kGivesError},
    {"posix_fallocate", kFirst | kGivesError},
    {"posix_fallocate64", kFirst | kGivesError},
    {"ptsname_r", kFirst | kGivesError},
    {"__ptsname_r_chk", kFirst | kGivesError},
    {"ttyname_r", kFirst | kGivesError},
    {"__ttyname_r_chk", kFirst | kGivesError},
};
constexpr std::size_t kCount = std::size(kCalls);
Real real_calls[kCount];

template <std::size_t kIndex>
long checked(long a, long b, long c, long d, long e, long f) {
  constexpr unsigned kKind = kCalls[kIndex].kind;
  const Descriptors& own = descriptors();
  const auto is_foreign = [&](unsigned bit, long descriptor) {
    return (kKind & bit) != 0 && !own.may_use(static_cast<int>(descriptor));
  };
  long foreign;
  if (is_foreign(kFirst, a)) [[unlikely]] {
    foreign = a;
  } else if (is_foreign(kSecond, b)) {
    foreign = b;
  } else if (is_foreign(kThird, c)) {
    foreign = c;
  } else if (is_foreign(kFourth, d)) {
    foreign = d;
  } else {
    return real_calls[kIndex](a, b, c, d, e, f);
  }
  if ((kKind & kQuestion) == 0) descriptors().report_foreign(static_cast<int>(foreign));
  if ((kKind & kGivesError) != 0) return EBADF;
  errno = EBADF;
  return -1;
}
template <std::size_t... kIndex>
void add_checked(std::index_sequence<kIndex...>) {
  const auto add = [](std::size_t i, auto* call) {
    const void* real = process_symbol(kCalls[i].name, {});
    if (real == nullptr) return;  // not in this libc
    real_calls[i] = as_function<Real>(real);
    add_launcher_call(kCalls[i].name, call);
  };
  (add(kIndex, &checked<kIndex>), ...);
}

// Helper threads of libc would do it later.
template <class Request, int (*kCall)(Request*)>
int start(Request* request) {
  if (descriptors().may_use(request->aio_fildes)) return kCall(request);
  descriptors().report_foreign(request->aio_fildes);
  errno = EBADF;
  return -1;
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

// The other side of a terminal is a descriptor too.
int control_device(int descriptor, unsigned long command, long argument) {
  if (!descriptors().may_use(descriptor)) {
    descriptors().report_foreign(descriptor);
    errno = EBADF;
    return -1;
  }
  const int result = ::ioctl(descriptor, command, argument);
  return command == TIOCGPTPEER ? descriptors().opened(result) : result;
}

int is_terminal(int descriptor) {
  if (descriptors().may_use(descriptor)) return ::isatty(descriptor);
  errno = EBADF;
  return 0;
}

}  // namespace

void add_own_descriptor_calls() {
  add_checked(std::make_index_sequence<kCount>());
  for (const char* name : {"__fxstat", "__fxstat64"}) add_launcher_call(name, &stat_by_version);
  add_launcher_call("dprintf", &print);
  add_launcher_call("__dprintf_chk", &print_checked);
  add_launcher_call("aio_read", &start<aiocb, &::aio_read>);
  add_launcher_call("aio_read64", &start<aiocb64, &::aio_read64>);
  add_launcher_call("aio_write", &start<aiocb, &::aio_write>);
  add_launcher_call("aio_write64", &start<aiocb64, &::aio_write64>);
  add_launcher_call("ioctl", &control_device);
  add_launcher_call("isatty", &is_terminal);
}

}  // namespace roam::mpi
