#include "base/os/kernel_threads.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace roam::os {
namespace {

// Those that may wait long. The first argument of some is a descriptor.
const struct {
  long number;
  const char* name;
  bool of_descriptor;
} kCalls[] = {
    {SYS_read, "read", true},
    {SYS_readv, "readv", true},
    {SYS_pread64, "pread", true},
    {SYS_preadv, "preadv", true},
    {SYS_preadv2, "preadv2", true},
    {SYS_write, "write", true},
    {SYS_writev, "writev", true},
    {SYS_pwrite64, "pwrite", true},
    {SYS_recvfrom, "recv", true},
    {SYS_recvmsg, "recvmsg", true},
    {SYS_recvmmsg, "recvmmsg", true},
    {SYS_sendto, "send", true},
    {SYS_sendmsg, "sendmsg", true},
    {SYS_sendmmsg, "sendmmsg", true},
    {SYS_sendfile, "sendfile", true},
    {SYS_splice, "splice", true},
    {SYS_tee, "tee", true},
    {SYS_vmsplice, "vmsplice", true},
    {SYS_copy_file_range, "copy_file_range", true},
    {SYS_accept, "accept", true},
    {SYS_accept4, "accept4", true},
    {SYS_connect, "connect", true},
    {SYS_close, "close", true},
    {SYS_ioctl, "ioctl", true},
    {SYS_fcntl, "fcntl", true},
    {SYS_flock, "flock", true},
    {SYS_fsync, "fsync", true},
    {SYS_fdatasync, "fdatasync", true},
    {SYS_epoll_wait, "epoll_wait", true},
    {SYS_epoll_pwait, "epoll_wait", true},
    {SYS_epoll_pwait2, "epoll_wait", true},
    {SYS_mq_timedreceive, "mq_receive", true},
    {SYS_mq_timedsend, "mq_send", true},
    {SYS_io_uring_enter, "io_uring_enter", true},
    {SYS_poll, "poll", false},
    {SYS_ppoll, "poll", false},
    {SYS_select, "select", false},
    {SYS_pselect6, "select", false},
    {SYS_pause, "pause", false},
    {SYS_rt_sigsuspend, "sigsuspend", false},
    {SYS_rt_sigtimedwait, "sigwait", false},
    {SYS_wait4, "wait4 (for a child process)", false},
    {SYS_waitid, "waitid (for a child process)", false},
    {SYS_vfork, "vfork", false},
    {SYS_clone, "clone (until a child process runs)", false},
    {SYS_clone3, "clone (until a child process runs)", false},
    {SYS_futex, "futex (for a lock, or another kernel thread)", false},
    {SYS_nanosleep, "nanosleep", false},
    {SYS_clock_nanosleep, "clock_nanosleep", false},
    {SYS_open, "open", false},
    {SYS_openat, "open", false},
    {SYS_msgrcv, "msgrcv", false},
    {SYS_msgsnd, "msgsnd", false},
    {SYS_semop, "semop", false},
    {SYS_semtimedop, "semtimedop", false},
    {SYS_io_getevents, "io_getevents", false},
    {SYS_getrandom, "getrandom", false},
    {SYS_restart_syscall, "restart_syscall (what a signal interrupted)", false},
};

void write_name(long number, unsigned long first, char* call, std::size_t bytes) {
  for (const auto& known : kCalls) {
    if (known.number != number) continue;
    if (known.of_descriptor) {
      std::snprintf(call, bytes, "%s of descriptor %d", known.name, static_cast<int>(first));
    } else {
      std::snprintf(call, bytes, "%s", known.name);
    }
    return;
  }
  std::snprintf(call, bytes, "system call %ld", number);
}

}  // namespace

// Each is a folder there, and a folder has a link from each of its folders, and two more.
int kernel_threads() {
  struct stat tasks;
  if (stat("/proc/self/task", &tasks) != 0) return 1;
  return std::max(static_cast<int>(tasks.st_nlink) - 2, 1);
}

int kernel_thread_id() { return static_cast<int>(syscall(SYS_gettid)); }

std::int64_t processor_ns(int id) {
  // As the kernel numbers these clocks. Source: linux/posix-timers.h, CPUCLOCK_SCHED of a thread.
  const auto clock = static_cast<clockid_t>((~static_cast<unsigned>(id) << 3) | 6);
  timespec t;
  if (clock_gettime(clock, &t) != 0) return 0;
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

Doing look_at(int id, char* call, std::size_t bytes) {
  char path[64], line[256];
  std::snprintf(path, sizeof path, "/proc/self/task/%d/syscall", id);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Doing::kUnknown;
  const ssize_t n = read(fd, line, sizeof line - 1);
  close(fd);
  if (n <= 0) return Doing::kUnknown;
  line[n] = '\0';
  char* end = line;
  const long number = std::strtol(line, &end, 10);
  if (end == line || number < 0) return Doing::kRuns;  // "running", or -1: it waits for memory
  write_name(number, std::strtoul(end, nullptr, 0), call, bytes);
  return Doing::kWaits;
}

}  // namespace roam::os
