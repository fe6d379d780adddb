#include "runtime/job/terminate.h"

#include <unistd.h>

#include <string>

#include "base/check.h"
#include "isomalloc/heap.h"
#include "runtime/job/launcher.h"
#include "runtime/life/failures.h"

namespace roam::runtime {
namespace {

bool collective_error = false;

[[noreturn]] void on_terminate() {
  iso::HeapScope process;
  const std::exception_ptr exception = std::current_exception();
  const std::string what = exception ? "uncaught " + describe_exception(exception)
                                     : "std::terminate was called without an exception";
  if (collective_error && !speaks_for_all()) {
    usleep(300'000);  // the launcher kills all ranks when the first ends: let the message out
    _exit(1);
  }
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
