// Calls that do something with a descriptor: with one that is not the virtual rank's they fail, as
// in a process, where that number is not open.

#include <aio.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "mpi/image/image.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

Descriptors& descriptors() { return Image::running()->descriptors(); }
StandardInput& input() { return Image::running()->standard_input(); }
int asked(long descriptor) { return input().asked_descriptor(static_cast<int>(descriptor)); }

// Of all of these the arguments are integers and pointers, at most six, handed on as they are.
using Real = long (*)(long, long, long, long, long, long);

// Which arguments are descriptors; what fails gives -1 unless it is said otherwise.
constexpr unsigned kFirst = 1, kSecond = 2, kThird = 4, kFourth = 8;
constexpr unsigned kQuestion = 16;    // asks whether a number is open, and is not told of
constexpr unsigned kGivesError = 32;  // the number of the error
// Or what it does cannot be done to another one in its place: reads, writes, moves, locks.
constexpr unsigned kActs = 64;
struct Call {
  const char* name;
  unsigned kind = kFirst;
};
constexpr Call kCalls[] = {
    {"pread", kFirst | kActs},
    {"pread64", kFirst | kActs},
    {"__pread64", kFirst | kActs},
    {"__pread_chk", kFirst | kActs},
    {"__pread64_chk", kFirst | kActs},
    {"readv", kFirst | kActs},
    {"preadv", kFirst | kActs},
    {"preadv2", kFirst | kActs},
    {"preadv64", kFirst | kActs},
    {"preadv64v2", kFirst | kActs},
    {"readahead"},
    {"getdents64"},
    {"write", kFirst | kActs},
    {"__write", kFirst | kActs},
    {"pwrite", kFirst | kActs},
    {"pwrite64", kFirst | kActs},
    {"__pwrite64", kFirst | kActs},
    {"writev", kFirst | kActs},
    {"pwritev", kFirst | kActs},
    {"pwritev2", kFirst | kActs},
    {"pwritev64", kFirst | kActs},
    {"pwritev64v2", kFirst | kActs},
    {"vdprintf"},
    {"__vdprintf_chk"},
    {"lseek", kFirst | kActs},
    {"__lseek", kFirst | kActs},
    {"lseek64", kFirst | kActs},
    {"ftruncate", kFirst | kActs},
    {"ftruncate64", kFirst | kActs},
    {"fallocate"},
    {"fallocate64"},
    {"fsync"},
    {"fdatasync"},
    {"syncfs"},
    {"sync_file_range"},
    {"sendfile", kFirst | kSecond | kActs},
    {"sendfile64", kFirst | kSecond | kActs},
    {"splice", kFirst | kThird | kActs},
    {"tee", kFirst | kSecond | kActs},
    {"vmsplice", kFirst | kActs},
    {"copy_file_range", kFirst | kThird | kActs},
    {"fchmod"},
    {"fchown"},
    {"futimens"},
    {"futimes"},
    {"flock", kFirst | kActs},
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
    {"recv", kFirst | kActs},
    {"__recv", kFirst | kActs},
    {"__recv_chk", kFirst | kActs},
    {"recvfrom", kFirst | kActs},
    {"__recvfrom_chk", kFirst | kActs},
    {"epoll_ctl", kFirst | kThird | kActs},
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
    const auto own_input = [](long descriptor) {
      return (kKind & kActs) != 0 ? input().descriptor(static_cast<int>(descriptor))
                                  : asked(descriptor);
    };
    if ((kKind & kFirst) != 0) a = own_input(a);
    if ((kKind & kSecond) != 0) b = own_input(b);
    if ((kKind & kThird) != 0) c = own_input(c);
    return real_calls[kIndex](a, b, c, d, e, f);
  }
  if ((kKind & kQuestion) == 0) descriptors().report_foreign(static_cast<int>(foreign));
  if ((kKind & kGivesError) != 0) return EBADF;
  errno = EBADF;
  return -1;
}
template <std::size_t... kIndex>
void add_checked(std::index_sequence<kIndex...>) {
  (add_call_before(kCalls[kIndex].name, &checked<kIndex>, &real_calls[kIndex]), ...);
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
  if (version == 1 && descriptors().may_use(descriptor)) return ::fstat(asked(descriptor), to);
  errno = version == 1 ? EBADF : EINVAL;
  return -1;
}

ssize_t read_own(int descriptor, void* to, std::size_t bytes) {
  if (descriptor == 0) return input().read(to, bytes);
  if (descriptors().may_use(descriptor)) return ::read(descriptor, to, bytes);
  descriptors().report_foreign(descriptor);
  errno = EBADF;
  return -1;
}
ssize_t read_own_checked(int descriptor, void* to, std::size_t bytes, std::size_t room) {
  ROAM_CHECK(bytes <= room, "a virtual rank reads more than there is room for");
  return read_own(descriptor, to, bytes);
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
  const int result = ::ioctl(asked(descriptor), command, argument);
  return command == TIOCGPTPEER ? descriptors().opened(result) : result;
}

int is_terminal(int descriptor) {
  if (descriptors().may_use(descriptor)) return ::isatty(asked(descriptor));
  errno = EBADF;
  return 0;
}

// ---- waiting for several ----

constexpr const char* kPolls[] = {"poll", "__poll", "__poll_chk", "ppoll", "__ppoll_chk"};
constexpr std::size_t kPollCount = std::size(kPolls);
Real real_polls[kPollCount];

void replace(pollfd* list, long count, int from, int to) {
  for (long i = 0; from != to && i < count; ++i) {
    if (list[i].fd == from) list[i].fd = to;
  }
}
template <std::size_t kIndex>
int poll_own(long list, long count, long c, long d, long e, long f) {
  constexpr long kMost = 1 << 20;  // the kernel refuses more
  auto* const first = reinterpret_cast<pollfd*>(list);
  const long readable = first != nullptr && count > 0 && count <= kMost ? count : 0;
  const bool has_input =
      std::any_of(first, first + readable, [](const pollfd& p) { return p.fd == 0; });
  const int in_place = has_input ? asked(0) : 0;
  replace(first, readable, 0, in_place);
  const auto result = static_cast<int>(real_polls[kIndex](list, count, c, d, e, f));
  replace(first, readable, in_place, 0);
  return result;
}
template <std::size_t... kIndex>
void add_polls(std::index_sequence<kIndex...>) {
  (add_call_before(kPolls[kIndex], &poll_own<kIndex>, &real_polls[kIndex]), ...);
}

// Who has the standard input goes where it is, or the job ends: of that of another rank nothing
// would ever be told. Others', which is empty, is the process's here.
template <int (*kCall)(int, fd_set*, fd_set*, fd_set*, timeval*)>
int select_own(int end, fd_set* in, fd_set* out, fd_set* other, timeval* limit) {
  if (end > 0 && in != nullptr && FD_ISSET(0, in)) input().descriptor(0);
  return kCall(end, in, out, other, limit);
}
int select_own_masked(int end, fd_set* in, fd_set* out, fd_set* other, const timespec* limit,
                      const sigset_t* mask) {
  if (end > 0 && in != nullptr && FD_ISSET(0, in)) input().descriptor(0);
  return ::pselect(end, in, out, other, limit, mask);
}

}  // namespace

void add_own_descriptor_calls() {
  add_checked(std::make_index_sequence<kCount>());
  for (const char* name : {"read", "__read"}) add_launcher_call(name, &read_own);
  add_launcher_call("__read_chk", &read_own_checked);
  add_polls(std::make_index_sequence<kPollCount>());
  for (const char* name : {"select", "__select"}) add_launcher_call(name, &select_own<::select>);
  add_launcher_call("pselect", &select_own_masked);
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
