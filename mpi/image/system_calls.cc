// syscall(): what is seen when it is made by name is seen by number too.

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "mpi/image/image.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

using Function = long (*)(long, long, long, long, long, long);

// Functions that launcher_call() has and that are given what the kernel is.
struct Named {
  long number;
  const char* name;
  bool gives_long = false;  // or a pointer
};
constexpr Named kNamed[] = {
    {SYS_open, "open"},
    {SYS_openat, "openat"},
    {SYS_creat, "creat"},
    {SYS_socket, "socket"},
    {SYS_accept, "accept"},
    {SYS_accept4, "accept4"},
    {SYS_socketpair, "socketpair"},
    {SYS_pipe, "pipe"},
    {SYS_pipe2, "pipe2"},
    {SYS_epoll_create, "epoll_create"},
    {SYS_epoll_create1, "epoll_create1"},
    {SYS_eventfd2, "eventfd"},
    {SYS_timerfd_create, "timerfd_create"},
    {SYS_inotify_init, "inotify_init"},
    {SYS_inotify_init1, "inotify_init1"},
    {SYS_memfd_create, "memfd_create"},
    {SYS_dup, "dup"},
    {SYS_dup2, "dup2"},
    {SYS_dup3, "dup3"},
    {SYS_fcntl, "fcntl"},
    {SYS_ioctl, "ioctl"},
    {SYS_close, "close"},
    {SYS_close_range, "close_range"},
    {SYS_read, "read", true},
    {SYS_write, "write", true},
    {SYS_readv, "readv", true},
    {SYS_writev, "writev", true},
    {SYS_pread64, "pread64", true},
    {SYS_pwrite64, "pwrite64", true},
    {SYS_lseek, "lseek", true},
    {SYS_poll, "poll"},
    {SYS_select, "select"},
    {SYS_fstat, "fstat"},
    {SYS_getdents64, "getdents64", true},
    {SYS_sendmsg, "sendmsg", true},
    {SYS_recvmsg, "recvmsg", true},
    {SYS_recvmmsg, "recvmmsg"},
    {SYS_ftruncate, "ftruncate"},
    {SYS_fsync, "fsync"},
    {SYS_mmap, "mmap", true},
    {SYS_munmap, "munmap"},
    {SYS_mremap, "mremap", true},
    {SYS_mprotect, "mprotect"},
    {SYS_madvise, "madvise"},
    {SYS_shmat, "shmat", true},
    {SYS_shmdt, "shmdt"},
    {SYS_chdir, "chdir"},
    {SYS_fchdir, "fchdir"},
    {SYS_umask, "umask"},
    {SYS_chroot, "chroot"},
    {SYS_unshare, "unshare"},
    {SYS_setns, "setns"},
    {SYS_alarm, "alarm"},
    {SYS_setitimer, "setitimer"},
    {SYS_getitimer, "getitimer"},
    {SYS_wait4, "wait4"},
    {SYS_waitid, "waitid"},
    {SYS_getpid, "getpid"},
    {SYS_gettid, "gettid"},
    {SYS_exit, "_exit"},
    {SYS_exit_group, "_exit"},
    {SYS_fork, "fork"},
    {SYS_vfork, "fork"},
    {SYS_clone, "fork"},
    {SYS_clone3, "fork"},
};

// What gives a descriptor, and has no function or one that is given something else.
constexpr long kOpening[] = {
    SYS_openat2,
    SYS_eventfd,
    SYS_signalfd,
    SYS_signalfd4,
    SYS_mq_open,
    SYS_fanotify_init,
    SYS_pidfd_open,
    SYS_pidfd_getfd,
    SYS_open_by_handle_at,
    SYS_open_tree,
    SYS_fsopen,
    SYS_fspick,
    SYS_fsmount,
    SYS_userfaultfd,
    SYS_perf_event_open,
    SYS_io_uring_setup,
#ifdef SYS_landlock_create_ruleset
    SYS_landlock_create_ruleset,
#endif
#ifdef SYS_memfd_secret
    SYS_memfd_secret,
#endif
};

// What is given the number of a process, or several, first: how many.
struct Numbered {
  long number;
  int count = 1;
};
constexpr Numbered kNumbered[] = {
    {SYS_kill},
    {SYS_tkill},
    {SYS_tgkill, 2},
    {SYS_rt_sigqueueinfo},
    {SYS_rt_tgsigqueueinfo, 2},
    {SYS_getpgid},
    {SYS_setpgid, 2},
    {SYS_getsid},
    {SYS_sched_getaffinity},
    {SYS_sched_setaffinity},
    {SYS_sched_getscheduler},
    {SYS_sched_setscheduler},
    {SYS_sched_getparam},
    {SYS_sched_setparam},
    {SYS_sched_getattr},
    {SYS_sched_setattr},
    {SYS_sched_rr_get_interval},
    {SYS_prlimit64},
    {SYS_process_vm_readv},
    {SYS_process_vm_writev},
    {SYS_pidfd_open},
    {SYS_kcmp, 2},
    {SYS_move_pages},
    {SYS_migrate_pages},
    {SYS_get_robust_list},
};

// What is given a path, and has no function above: which argument it is.
struct Pathed {
  long number;
  int argument = 1;
  PathUse use = PathUse::kFollows;
};
constexpr Pathed kPathed[] = {
    {SYS_stat},
    {SYS_lstat, 1, PathUse::kStays},
    {SYS_readlink, 1, PathUse::kReads},
    {SYS_access},
    {SYS_newfstatat, 2, PathUse::kHasFlags4},
    {SYS_statx, 2, PathUse::kHasFlags3},
    {SYS_readlinkat, 2, PathUse::kReads},
    {SYS_faccessat, 2},
#ifdef SYS_faccessat2
    {SYS_faccessat2, 2},
#endif
    {SYS_openat2, 2},
};

struct Call {
  Function function = nullptr;
  bool gives_long = false, opens = false;
  int numbers = 0;
  int path = 0;  // the argument that is one; 0: none
  PathUse use = PathUse::kFollows;
};
std::array<Call, 1024> calls;  // by number

// The kernel's own answers with the old end where it does not move it.
void* break_after(long wanted) {
  void* const now = ::sbrk(0);
  if (wanted != 0 && wanted != reinterpret_cast<long>(now)) refuse_break();
  return now;
}

long with_path(long number, const Call& call, const std::array<long, 6>& given) {
  const OwnPath own(call.path, call.use, given);
  if (own.answer.has_value()) return *own.answer;
  const auto& now = own.arguments;
  return ::syscall(number, now[0], now[1], now[2], now[3], now[4], now[5]);
}

long call_by_number(long number, long a, long b, long c, long d, long e, long f) {
  if (number == SYS_execve || number == SYS_execveat) {
    report_refused("syscall(SYS_execve)",
                   "another program would take the place of the process, with all of its virtual "
                   "ranks. Use posix_spawn, system or popen to start one");
    errno = ENOSYS;
    return -1;
  }
  const bool known = number >= 0 && static_cast<std::size_t>(number) < calls.size();
  const Call call = known ? calls[static_cast<std::size_t>(number)] : Call{};
  if (call.function != nullptr) {
    const long result = call.function(a, b, c, d, e, f);
    return call.gives_long ? result : static_cast<int>(result);
  }
  if (number == SYS_rt_sigaction) {
    return set_kernel_action(static_cast<int>(a), reinterpret_cast<const KernelAction*>(b),
                             reinterpret_cast<KernelAction*>(c), static_cast<std::size_t>(d));
  }
  if (number == SYS_brk) return reinterpret_cast<long>(break_after(a));
  if (call.numbers > 0) a = real_number(a);
  if (call.numbers > 1) b = real_number(b);
  if (number == SYS_getpriority || number == SYS_setpriority || number == SYS_ioprio_get ||
      number == SYS_ioprio_set)
    b = real_number(b);
  const long result = call.path == 0 ? ::syscall(number, a, b, c, d, e, f)
                                     : with_path(number, call, {a, b, c, d, e, f});
  return call.opens ? Image::running()->descriptors().opened(static_cast<int>(result)) : result;
}

}  // namespace

void add_system_calls() {
  for (const Named& named : kNamed) {
    const auto function = as_function<Function>(launcher_call(named.name));
    calls[static_cast<std::size_t>(named.number)] = {function, named.gives_long};
  }
  for (const long number : kOpening) calls[static_cast<std::size_t>(number)].opens = true;
  for (const Numbered& n : kNumbered) calls[static_cast<std::size_t>(n.number)].numbers = n.count;
  for (const Pathed& p : kPathed) {
    calls[static_cast<std::size_t>(p.number)].path = p.argument;
    calls[static_cast<std::size_t>(p.number)].use = p.use;
  }
  add_launcher_call("syscall", &call_by_number);
}

}  // namespace roam::mpi
