#include "runtime/job/terminate.h"

#include <unistd.h>

#include <string>

#include "base/check.h"
#include "isomalloc/heap.h"
#include "runtime/job/launcher.h"
#include "runtime/life/failures.h"
#include "runtime/net/mpi.h"
#include "runtime/net/started.h"

namespace roam::runtime {
namespace {

// Until rank 0 has said the same, and the launcher has ended the job.
constexpr useconds_t kOfRank0Us = 1'000'000;

bool collective_error = false;

// Before MPI is there: ranks that wait in its start for this one are let go. MPICH's launcher does
// not take the end of a process for the end of its job then (4.0.2).
[[noreturn]] void end_before_mpi(int status) {
  find_launcher();
  tell_launcher(status, false);
  if (mpi_runs()) Mpi::abort(status);  // the program has started it
  _exit(status);
}

[[noreturn]] void on_terminate() {
  iso::HeapScope process;
  const std::exception_ptr exception = std::current_exception();
  const std::string what = exception ? "uncaught " + describe_exception(exception)
                                     : "std::terminate was called without an exception";
  if (collective_error && !speaks_for_all()) {
    // The launcher kills all ranks when the first ends. Who lives on was the only one.
    usleep(kOfRank0Us);
  }
  if (collective_error && fatal_hooks.end_job == nullptr) fatal_hooks.end_job = end_before_mpi;
  fatal("%s", what.c_str());
}

}  // namespace

TerminateHandler::TerminateHandler() : previous_(std::set_terminate(on_terminate)) {}
// A collective error has yet to leave main: its message is then still wanted.
TerminateHandler::~TerminateHandler() {
  if (!collective_error) std::set_terminate(previous_);
}
void TerminateHandler::set_collective(bool collective) { collective_error = collective; }

}  // namespace roam::runtime
