// The number of a virtual rank as a process: one of its own, so that those that share a process do
// not take each other's files and names for theirs, and the same wherever it is. No process has one
// so high. Calls that are given it mean the process where the virtual rank is.

#include <unistd.h>

#include <csignal>
#include <ctime>
#include <iterator>
#include <utility>

#include "mpi/image/image.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

pid_t own_number() { return Image::running()->process_number(); }

// The arguments of all of these are pointers and integers, at most six, handed on as they are.
using Real = long (*)(long, long, long, long, long, long);

// ---- calls that are given the number of a process ----

struct Call {
  const char* name;
  unsigned numbers;  // a bit for each argument that is one
};
constexpr Call kCalls[] = {
    {"kill", 1},
    {"__kill", 1},
    {"killpg", 1},
    {"sigqueue", 1},
    {"tgkill", 3},
    {"getpgid", 1},
    {"__getpgid", 1},
    {"setpgid", 3},
    {"__setpgid", 3},
    {"getsid", 1},
    {"tcsetpgrp", 2},
    {"getpriority", 2},
    {"setpriority", 2},
    {"sched_getaffinity", 1},
    {"sched_setaffinity", 1},
    {"sched_getscheduler", 1},
    {"__sched_getscheduler", 1},
    {"sched_setscheduler", 1},
    {"__sched_setscheduler", 1},
    {"sched_getparam", 1},
    {"__sched_getparam", 1},
    {"sched_setparam", 1},
    {"sched_rr_get_interval", 1},
    {"__sched_rr_get_interval", 1},
    {"prlimit", 1},
    {"prlimit64", 1},
    {"process_vm_readv", 1},
    {"process_vm_writev", 1},
    {"pidfd_open", 1},
    {"ptrace", 2},
};
constexpr std::size_t kCount = std::size(kCalls);
Real real_calls[kCount];

template <std::size_t kIndex>
long of_process(long a, long b, long c, long d, long e, long f) {
  constexpr unsigned kNumbers = kCalls[kIndex].numbers;
  if ((kNumbers & 1) != 0) a = real_number(a);
  if ((kNumbers & 2) != 0) b = real_number(b);
  return real_calls[kIndex](a, b, c, d, e, f);
}

// The clock of a process has its number in it; that of the process in which one is has another.
int find_clock(pid_t process, clockid_t* clock) {
  if (process != 0 && real_number(process) == process) return ::clock_getcpuclockid(process, clock);
  *clock = CLOCK_PROCESS_CPUTIME_ID;
  return 0;
}

int make_timer(clockid_t clock, sigevent* event, timer_t* timer) {
  if (event == nullptr || event->sigev_notify != SIGEV_THREAD_ID)
    return ::timer_create(clock, event, timer);
  sigevent own = *event;
  own._sigev_un._tid = static_cast<pid_t>(real_number(own._sigev_un._tid));
  return ::timer_create(clock, &own, timer);
}

// ----

// What is called so far: of the launcher, or of the process. Null: this libc has none.
Real called(const char* name) {
  const void* ours = launcher_call(name);
  return as_function<Real>(ours != nullptr ? ours : process_symbol(name, {}));
}
void add(const char* name, Real* real, Real call) {
  *real = called(name);
  if (*real != nullptr) add_launcher_call(name, call);
}
template <std::size_t... kIndex>
void add_numbers(std::index_sequence<kIndex...>) {
  (add(kCalls[kIndex].name, &real_calls[kIndex], &of_process<kIndex>), ...);
}

}  // namespace

long real_number(long number) {
  // As kill takes a group of processes, below 0.
  const int given = static_cast<int>(number), own = own_number();
  if (given == own) return ::getpid();
  return given == -own ? -::getpid() : number;
}

void add_process_number_calls() {
  for (const char* name : {"getpid", "__getpid", "gettid"}) add_launcher_call(name, &own_number);
  add_numbers(std::make_index_sequence<kCount>());
  add_launcher_call("timer_create", &make_timer);
  add_launcher_call("clock_getcpuclockid", &find_clock);
}

}  // namespace roam::mpi
