#include "runtime/life/failures.h"

#include <cxxabi.h>

#include <cstdlib>
#include <new>
#include <typeinfo>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/arena.h"

namespace roam::runtime {
namespace {

std::string current_type() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "an exception of another language";
  int status = 0;
  char* name = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
  std::string result = status == 0 ? name : type->name();
  std::free(name);
  return result;
}

}  // namespace

std::string describe_exception(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::bad_alloc& e) {
    const std::string why = iso::arena().limit().shortage();
    return current_type() + ": " + e.what() + (why.empty() ? "" : " (" + why + ")");
  } catch (const std::exception& e) {
    return current_type() + ": " + e.what();
  } catch (...) {
    return current_type();
  }
}

void Failures::note(const detail::Tcb* t) {
  constexpr std::size_t kMostNoted = 8;
  const std::string what = describe_exception(t->exception);
  // It passes on through who joins it, and who joins that one.
  if (!lines_.empty() && lines_.back().ends_with(what)) return;
  if (lines_.size() == kMostNoted) lines_.pop_front();
  lines_.push_back(text("thread '%s' ended with an exception: %s", t->name(), what.c_str()));
}

void Failures::report() const {
  for (const std::string& line : lines_) roam::report(line.c_str());
}

}  // namespace roam::runtime
