// Calls that open, close and duplicate descriptors, and map files.

#include <fcntl.h>
#include <linux/close_range.h>
#include <pty.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

#include "mpi/image/image.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

Descriptors& descriptors() { return Image::running()->descriptors(); }

int fail(int error) {
  errno = error;
  return -1;
}
bool may_use(int descriptor) { return descriptors().may_use(descriptor); }
int own_input(int descriptor) { return Image::running()->standard_input().descriptor(descriptor); }

// ---- opening ----

// Of all of these the arguments are integers and pointers, at most six: handed on as they are, each
// in its register, whether the call has so many or not.
using Real = long (*)(long, long, long, long, long, long);

struct OpeningCall {
  const char* name;
  bool of_descriptor = false;  // by its first argument
};
constexpr OpeningCall kOpening[] = {
    {"open"},
    {"open64"},
    {"__open"},
    {"__open64"},
    {"__open_2"},
    {"__open64_2"},
    {"openat", true},
    {"openat64", true},
    {"__openat_2", true},
    {"__openat64_2", true},
    {"openat2", true},
    {"creat"},
    {"creat64"},
    {"mkstemp"},
    {"mkstemp64"},
    {"mkostemp"},
    {"mkostemp64"},
    {"mkstemps"},
    {"mkstemps64"},
    {"mkostemps"},
    {"mkostemps64"},
    {"socket"},
    {"__socket"},
    {"accept", true},
    {"accept4", true},
    {"rresvport"},
    {"rresvport_af"},
    {"epoll_create"},
    {"epoll_create1"},
    {"eventfd"},
    {"timerfd_create"},
    {"signalfd", true},
    {"inotify_init"},
    {"inotify_init1"},
    {"fanotify_init"},
    {"memfd_create"},
    {"shm_open"},
    {"mq_open"},
    {"__mq_open_2"},
    {"posix_openpt"},
    {"getpt"},
    {"open_by_handle_at", true},
    {"open_tree", true},
    {"fsopen"},
    {"fsmount", true},
    {"fspick", true},
    {"pidfd_open"},
    {"pidfd_getfd", true},
    {"dup", true},
};
constexpr std::size_t kOpeningCount = std::size(kOpening);
Real real_opening[kOpeningCount];

template <std::size_t kIndex>
int opening(long a, long b, long c, long d, long e, long f) {
  if (kOpening[kIndex].of_descriptor) {
    if (!may_use(static_cast<int>(a))) return fail(EBADF);
    a = own_input(static_cast<int>(a));
  }
  return descriptors().opened(static_cast<int>(real_opening[kIndex](a, b, c, d, e, f)));
}
template <std::size_t... kIndex>
void add_opening(std::index_sequence<kIndex...>) {
  (add_call_before(kOpening[kIndex].name, &opening<kIndex>, &real_opening[kIndex]), ...);
}

int opened_pair(int result, int* first, int* second) {
  if (result != 0) return result;
  const bool noted = descriptors().opened(*first) >= 0;
  if (descriptors().opened(*second) >= 0 && noted) return 0;
  if (noted) descriptors().close(*first);
  return fail(ENOMEM);
}
int make_pipe(int* pair) { return opened_pair(::pipe(pair), &pair[0], &pair[1]); }
int make_pipe2(int* pair, int flags) {
  return opened_pair(::pipe2(pair, flags), &pair[0], &pair[1]);
}
int make_sockets(int domain, int type, int protocol, int* pair) {
  return opened_pair(::socketpair(domain, type, protocol, pair), &pair[0], &pair[1]);
}
int make_terminal(int* first, int* second, char* name, const termios* state, const winsize* size) {
  return opened_pair(::openpty(first, second, name, state, size), first, second);
}

// What comes along with a message.
void take_from(const msghdr* message) {
  auto* list = const_cast<msghdr*>(message);
  for (cmsghdr* part = CMSG_FIRSTHDR(list); part != nullptr; part = CMSG_NXTHDR(list, part)) {
    constexpr int kProcess = 4;  // SCM_PIDFD
    if (part->cmsg_level != SOL_SOCKET ||
        (part->cmsg_type != SCM_RIGHTS && part->cmsg_type != kProcess))
      continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int descriptor;
      std::memcpy(&descriptor, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      descriptors().opened(descriptor);
    }
  }
}
ssize_t receive(int socket, msghdr* message, int flags) {
  if (!may_use(socket)) return fail(EBADF);
  const ssize_t bytes = ::recvmsg(own_input(socket), message, flags);
  if (bytes >= 0 && message->msg_control != nullptr) take_from(message);
  return bytes;
}
int receive_many(int socket, mmsghdr* list, unsigned count, int flags, timespec* timeout) {
  if (!may_use(socket)) return fail(EBADF);
  const int came = ::recvmmsg(own_input(socket), list, count, flags, timeout);
  for (int i = 0; i < came; ++i) {
    if (list[i].msg_hdr.msg_control != nullptr) take_from(&list[i].msg_hdr);
  }
  return came;
}

// ---- closing ----

int close_descriptor(int descriptor) {
  if (descriptors().has(descriptor)) Image::running()->streams().lose(descriptor);
  return descriptors().close(descriptor);
}

// Of other numbers none is open for the virtual rank.
int close_some(unsigned first, unsigned last, int flags) {
  constexpr int kUnshare = CLOSE_RANGE_UNSHARE, kOnExec = CLOSE_RANGE_CLOEXEC;
  if (first > last || (flags & ~(kUnshare | kOnExec)) != 0) return fail(EINVAL);
  const auto end = static_cast<unsigned>(descriptors().end());
  for (unsigned i = first; i < end && i <= last; ++i) {
    const int descriptor = static_cast<int>(i);
    if (!descriptors().has(descriptor)) continue;
    if ((flags & kOnExec) != 0) {
      ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    } else {
      close_descriptor(descriptor);
    }
  }
  return 0;
}
void close_from(int lowest) { close_some(static_cast<unsigned>(std::max(lowest, 0)), ~0U, 0); }

// ---- duplicating ----

constexpr char kStandard[] =
    "it is the process's, and all of its virtual ranks use it. Use fopen, and fprintf to what it "
    "gives, or redirect the job";

// `to` becomes another descriptor for `from`. What the process has under that number, and the
// virtual rank has not, is left alone: as the numbers are the process's, that is told of.
int duplicate_over(int from, int to, int flags) {
  if (!may_use(from) || from < 0) return fail(EBADF);
  from = own_input(from);
  if (Descriptors::is_standard(to)) {
    report_refused("dup2 or dup3 over a standard descriptor", kStandard);
    return fail(ENOSYS);
  }
  if (to < 0 || descriptors().has(to)) return ::dup3(from, to, flags);
  if ((flags & ~O_CLOEXEC) != 0) return fail(EINVAL);
  const int made = ::fcntl(from, flags != 0 ? F_DUPFD_CLOEXEC : F_DUPFD, to);
  if (made < 0 || made == to)
    return made < 0 && errno == EINVAL ? fail(EBADF) : descriptors().opened(made, to);
  ::close(made);
  report_refused("dup2 or dup3 over a number that is the process's or another virtual rank's",
                 "virtual ranks share the numbers of their process. Use dup, and the number that "
                 "it gives");
  return fail(EBADF);
}
int duplicate_to(int from, int to) {
  if (from != to) return duplicate_over(from, to, 0);
  return may_use(from) ? ::dup2(from, to) : fail(EBADF);
}
int duplicate_with(int from, int to, int flags) {
  return from != to ? duplicate_over(from, to, flags) : fail(EINVAL);
}

// The kernel's locks of a process would let all of its virtual ranks in, and be gone when one of
// them closes the file. Those of an open file are as good for programs that open it once.
int lock(int descriptor, int command, struct flock* part) {
  struct flock own = *part;
  own.l_pid = 0;
  const int result = ::fcntl(descriptor,
                             command == F_SETLKW  ? F_OFD_SETLKW
                             : command == F_SETLK ? F_OFD_SETLK
                                                  : F_OFD_GETLK,
                             &own);
  if (command == F_GETLK && result == 0) *part = own;
  return result;
}
int lock_from_here(int descriptor, int command, off_t bytes) {
  if (!may_use(descriptor)) return fail(EBADF);
  struct flock part {};
  part.l_type = command == F_ULOCK ? F_UNLCK : F_WRLCK;
  part.l_whence = SEEK_CUR;
  part.l_len = bytes;
  switch (command) {
    case F_ULOCK:
    case F_TLOCK:
      return lock(descriptor, F_SETLK, &part);
    case F_LOCK:
      return lock(descriptor, F_SETLKW, &part);
    case F_TEST:
      if (lock(descriptor, F_GETLK, &part) != 0) return -1;
      return part.l_type == F_UNLCK ? 0 : fail(EACCES);
    default:
      return fail(EINVAL);
  }
}

int control(int descriptor, int command, long argument) {
  if (!may_use(descriptor)) return fail(EBADF);
  const bool opens = command == F_DUPFD || command == F_DUPFD_CLOEXEC;
  const bool of_number = command == F_GETFD || command == F_SETFD;
  const bool asks = command == F_GETFL || command == F_GETLK || command == F_OFD_GETLK ||
                    command == F_GETOWN || command == F_GETSIG || command == F_GETPIPE_SZ;
  if (asks) {
    descriptor = Image::running()->standard_input().asked_descriptor(descriptor);
  } else if (!of_number) {
    descriptor = own_input(descriptor);
  }
  if (command == F_SETOWN) argument = real_number(argument);
  if (command == F_SETLK || command == F_SETLKW || command == F_GETLK)
    return lock(descriptor, command, reinterpret_cast<struct flock*>(argument));
  const int result = ::fcntl(descriptor, command, argument);
  return opens ? descriptors().opened(result, static_cast<int>(argument)) : result;
}

void* map(void* at, std::size_t bytes, int protection, int flags, int descriptor, off_t offset) {
  if ((flags & MAP_ANONYMOUS) != 0) return ::mmap(at, bytes, protection, flags, descriptor, offset);
  if (may_use(descriptor))
    return ::mmap(at, bytes, protection, flags, own_input(descriptor), offset);
  errno = EBADF;
  return MAP_FAILED;
}

int refuse_login() {
  report_refused("login_tty", kStandard);
  return fail(ENOSYS);
}
int refuse_remote() {
  report_refused("rcmd, rexec and their kin", "they open descriptors that are not seen");
  return fail(ENOSYS);
}

}  // namespace

void add_descriptor_calls() {
  add_opening(std::make_index_sequence<kOpeningCount>());
  for (const char* name : {"pipe", "__pipe"}) add_launcher_call(name, &make_pipe);
  add_launcher_call("pipe2", &make_pipe2);
  add_launcher_call("socketpair", &make_sockets);
  add_launcher_call("openpty", &make_terminal);
  add_launcher_call("recvmsg", &receive);
  add_launcher_call("recvmmsg", &receive_many);

  for (const char* name : {"close", "__close", "mq_close"})
    add_launcher_call(name, &close_descriptor);
  add_launcher_call("close_range", &close_some);
  add_launcher_call("closefrom", &close_from);

  for (const char* name : {"dup2", "__dup2"}) add_launcher_call(name, &duplicate_to);
  add_launcher_call("dup3", &duplicate_with);
  for (const char* name : {"fcntl", "fcntl64", "__fcntl"}) add_launcher_call(name, &control);
  for (const char* name : {"lockf", "lockf64"}) add_launcher_call(name, &lock_from_here);
  // Hidden from the dynamic linker (isomalloc/mapping_calls.cc), so not found by their names.
  for (const char* name : {"mmap", "mmap64"}) add_launcher_call(name, &map);
  add_launcher_call("munmap", &::munmap);
  add_launcher_call("mremap", reinterpret_cast<const void*>(&::mremap));
  add_launcher_call("mprotect", &::mprotect);
  add_launcher_call("madvise", &::madvise);
  add_launcher_call("shmat", &::shmat);
  add_launcher_call("shmdt", &::shmdt);
  add_launcher_call("login_tty", &refuse_login);
  for (const char* name : {"rcmd", "rcmd_af", "rexec", "rexec_af"})
    add_launcher_call(name, &refuse_remote);

  add_own_descriptor_calls();
  add_stream_calls();
  add_input_calls();
  add_folder_calls();
  add_child_calls();
  add_process_number_calls();
  add_own_path_calls();
  add_system_calls();
}

}  // namespace roam::mpi
