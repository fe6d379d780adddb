#include "runtime/job/exits.h"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/check.h"
#include "base/job_record.h"
#include "base/text.h"
#include "isomalloc/heap.h"
#include "runtime/checkpoint/left_keepers.h"
#include "runtime/job/job.h"
#include "runtime/job/launcher.h"
#include "threads/child.h"
#include "threads/scheduler.h"

namespace roam::runtime {
namespace {

pid_t process = 0;

// From a handler of a signal too: allocates nothing.
void say_so(const char* call, int status, const char* what_follows) {
  char line[160];
  std::snprintf(line, sizeof line, "%s(%d) was called while the job runs: %s %d", call, status,
                what_follows, status & 0xff);
  report(line);
}

// Of an end without handlers.
void tell_of_end(const char* call, int status, const void* caller) {
  if (!ends_the_job()) {
    if (!Mpi::aborts()) job_record::exits(status);
    if (std::strcmp(call, "quick_exit") == 0) leave_now();  // the others may be called in handlers
    return;
  }
  job_record::exits_early(status, caller);
  say_so(call, status, "the launcher ends the other ranks; this one's status is");
  if ((status & 0xff) != 0) tell_launcher(status & 0xff, false);
}

[[noreturn]] void end_process(int status) {
  for (;;) syscall(SYS_exit_group, status);
}

void end_job(int status, void*) {
  if (Mpi::aborts() && getpid() == process) end_process(status);  // MPI's own way out
  if (!ends_the_job()) return;
  iso::HeapScope process;
  job_record::exits_early(status, nullptr);
  say_so("exit", status, "the job ends with status");
  std::fflush(nullptr);
  threads::on_rank_stack([&] { Mpi::abort(status & 0xff); });
}

// The last of all handlers: what was printed is out when the record says that the job has ended.
void record_exit(int status, void*) {
  std::fflush(nullptr);
  job_record::exits(status);
  leave_now();
}

[[gnu::constructor]] void watch_the_last_exit() {
  if (job_record::wanted()) on_exit(record_exit, nullptr);
}

}  // namespace

// It is asked before there is a job too, by the exec that starts the process anew.
bool ends_the_job() {
  return getpid() == process && !threads::is_child && the_job().running() && !Mpi::aborts();
}

void watch_exits() {
  process = getpid();
  on_exit(end_job, nullptr);
}

}  // namespace roam::runtime

// The launcher kills the others. Of 0 it makes what it will.
#define ROAM_END_CALL(name, end)                                                      \
  extern "C" __attribute__((noreturn, visibility("default"))) void name(int status) { \
    roam::runtime::tell_of_end(#name, status, __builtin_return_address(0));           \
    end;                                                                              \
    roam::runtime::end_process(status);                                               \
  }
ROAM_END_CALL(_exit, )
ROAM_END_CALL(_Exit, )
ROAM_END_CALL(quick_exit, reinterpret_cast<void (*)(int)>(dlsym(RTLD_NEXT, "quick_exit"))(status))
