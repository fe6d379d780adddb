#include "runtime/escaped.h"

#include <cxxabi.h>
#include <unistd.h>

#include <cstdlib>
#include <typeinfo>

#include "base/check.h"
#include "isomalloc/heap.h"
#include "runtime/launcher.h"
#include "runtime/mpi/mpi.h"

namespace roam::runtime {
namespace {

bool collective_error = false;

std::string current_type() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "an exception of another language";
  int status = 0;
  char* name = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
  std::string result = status == 0 ? name : type->name();
  std::free(name);
  return result;
}

[[noreturn]] void on_terminate() {
  iso::HeapScope process;
  const std::exception_ptr exception = std::current_exception();
  const std::string what = exception ? "uncaught " + describe(exception)
                                     : "std::terminate was called without an exception";
  if (collective_error && !speaks_for_all()) {
    usleep(300'000);  // the launcher kills all ranks when the first ends: let the message out
    _exit(1);
  }
  fatal("%s", what.c_str());
}

}  // namespace

std::string describe(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::bad_alloc& e) {
    const std::string why = iso::arena().shortage();
    return current_type() + ": " + e.what() + (why.empty() ? "" : " (" + why + ")");
  } catch (const std::exception& e) {
    return current_type() + ": " + e.what();
  } catch (...) {
    return current_type();
  }
}

TerminateHandler::TerminateHandler() : previous_(std::set_terminate(on_terminate)) {}
// A collective error has yet to leave main: its message is then still wanted.
TerminateHandler::~TerminateHandler() {
  if (!collective_error) std::set_terminate(previous_);
}
void TerminateHandler::set_collective(bool collective) { collective_error = collective; }

}  // namespace roam::runtime
